"""Every golden file of every family is met to the bit."""

from pathlib import Path

import numpy as np
import pytest

import memsim as ms
from helpers import slow

FILES = sorted((Path(__file__).parents[2] / "data" / "chips").glob("*.npz"))


FIRST = [file if file.stem.endswith("_0") else slow(file) for file in FILES]  # one of each rule is quick


@pytest.mark.parametrize("file", FIRST, ids=lambda file: file.stem)
def test_our_rule_gives_what_the_simulator_gave(file):
    found = ms.chips.check(file)
    assert found.equal, found


def test_every_family_has_a_file():
    missing = [family for family in ms.chips.FAMILIES if not any(f.name.startswith(family) for f in FILES)]
    assert not missing


def test_a_number_that_differs_is_found(tmp_path):
    file_of = next(file for file in FILES if file.name.startswith("loihi_lava"))
    with np.load(file_of) as file:
        arrays = {name: file[name] for name in file.files}
    arrays["v"] = arrays["v"].copy()
    arrays["v"][3, 2] += 7
    np.savez(tmp_path / file_of.name, **arrays)
    found = ms.chips.check(tmp_path / file_of.name)
    assert not found.equal and found.largest["v"] == 7


@pytest.mark.parametrize("name", ["loihj_lava_0.npz", "what.npz"])
def test_an_unknown_family_is_answered_with_near_ones(name, tmp_path):
    with pytest.raises(ValueError, match=r"of a known family.*Did you mean"):
        ms.chips.check(tmp_path / name)


def test_a_damaged_file_is_refused(tmp_path):
    (tmp_path / "loihi_lava_0.npz").write_bytes(FILES[0].read_bytes()[:500])
    with pytest.raises(ValueError, match="must be an npz"):
        ms.chips.check(tmp_path / "loihi_lava_0.npz")


@pytest.mark.parametrize(("change", "said"), [("lacks", "It lacks 'v'"), ("floats", "`v` must be whole numbers")])
def test_a_file_whose_results_are_not_there_or_no_whole_numbers_is_refused(change, said, tmp_path):
    file_of = next(file for file in FILES if file.name.startswith("loihi_lava"))
    with np.load(file_of) as file:
        arrays = {name: file[name] for name in file.files}
    v = arrays.pop("v")
    np.savez(tmp_path / file_of.name, **arrays | ({} if change == "lacks" else {"v": v + 0.4}))
    with pytest.raises(ValueError, match=said):
        ms.chips.check(tmp_path / file_of.name)
