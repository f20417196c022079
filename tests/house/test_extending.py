"""What docs/extending.md shows, works: its package is installed, its commands run, in the order of the page."""

import re
import shlex
import tomllib
from pathlib import Path

import pytest

import device_models as dm
import memsim as ms
from memsim._cli import main

ROOT = next(folder for folder in Path(__file__).parents if (folder / "docs" / "extending.md").exists())
PAGE = (ROOT / "docs" / "extending.md").read_text()
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]


def blocks(kind):
    return re.findall(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """The package of the page, as an installer leaves it."""
    for code in blocks("python"):
        name = code.splitlines()[0].removeprefix("# ")
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(code.partition("\n")[2])
    (tmp_path / "lab_oxide" / "__init__.py").touch()
    project = tomllib.loads(*blocks("toml"))["project"]
    info = tmp_path / f"lab_oxide-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    groups = [
        f"[{group}]\n" + "".join(f"{name} = {place}\n" for name, place in names.items())
        for group, names in project["entry-points"].items()
    ]
    (info / "entry_points.txt").write_text("\n".join(groups))
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("memsim._keeping.keep_compiled", lambda folder: None)
    return tmp_path


def commands(text):
    return [shlex.split(line)[1:] for line in COMMANDS if text in line]


def test_the_package_runs_and_is_drawn_as_printed(installed, capsys):
    for words in commands("memsim list") + commands("memsim devices") + commands(" spread"):
        assert main(words) == 0
    told = capsys.readouterr().out
    assert "lab-oxide 1.2: devices oxide_lab" in told and "NOT USED" not in told
    assert ms.study.open_result("results/spread/spread.nc").spread.dims == ("device",)
    assert (installed / "results" / "spread" / "spread.pdf").stat().st_size > 1000


def test_the_scripts_run_from_where_they_lie_as_printed(installed):
    for words in commands("./lab_oxide"):
        assert main(words) == 0
    assert ms.study.open_result("results/mine/spread.nc").device.values.tolist() == ["pcm_joshi2020"]
    assert (installed / "results" / "mine" / "spread.pdf").stat().st_size > 1000


CHECKS = [
    words if "--promises" in words else pytest.param(words, marks=pytest.mark.slow) for words in commands("check-")
]


@pytest.mark.parametrize("words", CHECKS)
def test_the_parts_are_checked_as_printed(installed, words):
    assert main(words) == 0


def test_a_test_of_a_package_is_as_printed(installed):
    space = {"ms": ms, "oxide_lab": lambda: dm.device("oxide_lab").make()}
    (line,) = re.findall(r"`(assert .*?)`", PAGE)
    exec(line.replace("oxide_lab())", 'oxide_lab(), promises=["sources", "described"])'), space)


def test_every_command_of_the_page_is_run_here():
    run = [words for text in ("list", "devices", " spread", "./lab_oxide", "check-") for words in commands(text)]
    assert [shlex.split(line)[1:] for line in COMMANDS if shlex.split(line)[1:] not in [*run, ["schema"]]] == []
    assert len(PAGE.splitlines()) <= 120


def test_a_time_whose_kind_is_not_said_is_asked_for():
    with pytest.raises(TypeError, match=r"`t` may be\. Got .*conductance without an annotation"):

        class Hasty(dm.AbstractDevice):
            @ms.extend.ages
            def conductance(self, cells, t):
                return cells
