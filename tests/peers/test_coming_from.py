"""The page for those who come from another library runs: theirs and ours, side by side."""

import os
import pathlib
import re
import subprocess
import sys

import jax
import numpy as np
import pytest

pytestmark = pytest.mark.filterwarnings("ignore")
PAGE = (pathlib.Path(__file__).parents[2] / "docs/coming_from.md").read_text("utf-8")
MODULES = {
    "aihwkit": "aihwkit",
    "CrossSim": "simulator",
    "MemTorch": "memtorch",
    "snnTorch": "snntorch",
    "rockpool": "rockpool",
}
SAVE = "\nimport sys\nimport numpy\nnumpy.save(sys.argv[1], numpy.asarray(theirs))\n"


@pytest.fixture(autouse=True)
def as_users_run():
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        yield


def section(library):
    found = re.search(rf"^## {library}\n(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE)
    assert found, f"no section on {library}"
    return found[1]


def block(text, first):
    """The code of the block that begins with the comment `first`."""
    found = re.findall(rf"^```python\n(# {first}\n.*?)^```", text, re.DOTALL | re.MULTILINE)
    assert len(found) == 1, f"{len(found)} blocks of {first}"
    return found[0]


GIVEN = block(PAGE, "given")


def ours(library):
    names = {}
    exec(compile(GIVEN + block(section(library), "memsim"), "coming_from.md", "exec"), names)
    return np.asarray(names["ours"])


def theirs(library, tmp_path):
    """What the page's block gives, in an interpreter that has the library: one of the environment, or this."""
    python = os.environ.get(f"{library.upper()}_PYTHON", sys.executable)
    has = [python, "-W", "ignore", "-c", f"import {MODULES.get(library, library.lower())}"]
    if subprocess.run(has, capture_output=True, check=False, cwd=tmp_path).returncode:
        pytest.skip(
            f"{library} is not installed in {python}; {library.upper()}_PYTHON names an interpreter that has it"
        )
    code = GIVEN + block(section(library), library) + SAVE
    command = [python, "-W", "ignore", "-c", code, "theirs.npy"]
    subprocess.run(command, check=True, cwd=tmp_path, timeout=600)
    return np.load(tmp_path / "theirs.npy")


def row(library, name):
    """The numbers of a row of a table of the section."""
    cells = re.search(rf"^\| {name} \|(.*)\|$", section(library), re.MULTILINE)
    assert cells, f"no row {name}"
    return np.array([float(cell) for cell in cells[1].split("|")])


@pytest.mark.slow
def test_memsim_beside_aihwkit_is_as_the_page_says():
    np.testing.assert_allclose(ours("aihwkit"), row("aihwkit", "memsim"), rtol=0.01)


@pytest.mark.peers
def test_pcm_of_aihwkit_has_the_error_of_ours(tmp_path):
    found = theirs("aihwkit", tmp_path)
    np.testing.assert_allclose(found, row("aihwkit", "aihwkit"), rtol=0.03)  # chips differ by 1 %
    np.testing.assert_allclose(found, ours("aihwkit"), rtol=0.05)


@pytest.mark.slow
def test_memsim_beside_crosssim_has_the_error_of_the_formula():
    assert ours("CrossSim") == pytest.approx(2**0.5 * 0.01 / 0.9 / (1 / 3) ** 0.5, rel=0.02)


@pytest.mark.peers
def test_crosssim_has_the_error_of_ours(tmp_path):
    np.testing.assert_allclose(theirs("CrossSim", tmp_path), ours("CrossSim"), rtol=0.03)


@pytest.mark.peers
def test_vteam_of_memtorch_has_the_current_of_ours(tmp_path):
    found = theirs("MemTorch", tmp_path)
    assert np.abs(found).max() == pytest.approx(20e-3)
    assert np.abs(found - ours("MemTorch")).max() < 0.3e-3


@pytest.mark.peers
@pytest.mark.parametrize("library", ["snnTorch", "rockpool"])
def test_a_raster_is_theirs(library, tmp_path):
    found = theirs(library, tmp_path)
    assert found.mean() > 0.05
    np.testing.assert_array_equal(ours(library), found)
