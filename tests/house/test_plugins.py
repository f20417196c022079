"""A package of somebody else adds cells, chips, experiments and figures, and one that is broken breaks nothing else."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import device_models as dm
import laboratory
import memsim as ms
from memsim._cli import main
from memsim._keeping import environment

BROKEN = {"broken": "import not_there\n"}
ROOT = Path(__file__).parents[2]


@pytest.fixture
def lab(tmp_path, monkeypatch):
    """The package, installed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("memsim._keeping.keep_compiled", lambda folder: None)
    return laboratory.installed(laboratory.published(tmp_path), monkeypatch)


@pytest.fixture
def broken(tmp_path, monkeypatch):
    """The package with a cell that does not import, one whose name is ours, and an experiment that lacks its `run`."""
    devices = "oxide_broken = lab_oxide.broken:oxide\npcm_joshi2020 = lab_oxide.cells:oxide_lab\n"
    more = {"half": '"""Half an experiment."""\nConfig = 1\n', **BROKEN}
    wheel = laboratory.published(tmp_path, devices=devices, experiments="half = lab_oxide.half\n", **more)
    monkeypatch.chdir(tmp_path)
    return laboratory.installed(wheel, monkeypatch)


def said(capsys, *words, status=0):
    capsys.readouterr()
    assert main(list(words)) == status
    return capsys.readouterr()


def test_a_cell_of_another_package_is_a_cell_by_name(lab):
    device = dm.device("oxide_lab").make(write_noise_scale=2.0)
    assert (device.g_max, device.write_noise_scale) == (30e-6, 2.0)
    assert dm.device("oxide_lab").takes("write_noise_scale") and not dm.device("ideal").takes("write_noise_scale")
    assert "oxide_lab" not in dm.DEVICES  # defaults of experiments do not depend on what is installed
    with pytest.raises(ValueError, match="Did you mean oxide_lab"):
        dm.device("oxide_lob")


def test_a_chip_of_another_package_is_a_chip_by_name(lab):
    chip = ms.chips.target("renamed")
    assert (chip.name, chip.checked) == ("renamed", "unchecked")
    with pytest.raises(ValueError, match="Did you mean renamed"):
        ms.chips.target("renamd")


def test_a_chip_of_another_package_stands_in_the_table_of_chips(lab):
    rng = np.random.default_rng(0)
    data = (rng.random((4, 10, 6)) < 0.3).astype(np.float32), np.arange(4) % 3
    keys = ms.nn.Linear(6, 20, gain=2.0, key=_key(0)), ms.nn.Linear(20, 3, key=_key(1))
    neurons = ms.nn.CuBaLIF(20, firing=ms.nn.Firing(reset="zero"))
    network = ms.nn.SpikingNetwork([keys[0], neurons, keys[1], ms.nn.LI(3)])
    table = ms.chips.compare(network, data, key=_key(2), targets=["loihi1", "renamed"], crossbars={})
    assert float(table.agreement.sel(target="renamed")) == float(table.agreement.sel(target="loihi1"))


def _key(number):
    import jax

    return jax.random.key(number)


def test_every_list_names_what_is_added_and_the_package_it_is_of(lab, capsys):
    listed = said(capsys, "list").out
    assert "spread" in listed and "How far cells" in listed and "(lab-oxide 1.2)" in listed
    assert "lab-oxide 1.2: devices oxide_lab" in listed and "lab-oxide 1.2: targets renamed" in listed
    assert "NOT USED" not in listed
    cells = said(capsys, "devices").out
    assert "Oxide cells of the laboratory, 1 to 30 uS. (lab-oxide 1.2)" in cells
    assert all(f"  {name} " in cells for name in dm.DEVICES)
    assert "renamed" in said(capsys, "chips", "list").out
    with pytest.raises(SystemExit):
        main(["run", "--help"])
    assert "How far cells" in capsys.readouterr().out


def test_an_experiment_of_another_package_runs_and_is_drawn_by_name(lab, capsys, tmp_path):
    said(capsys, "run", "spread", "--quick", "--out", str(tmp_path / "out"))
    result = ms.study.open_result(tmp_path / "out" / "spread.nc")
    assert int(result.cells.squeeze()) == 50
    n, std = 50, 4e-7  # a standard deviation of n normals has a relative standard error of 1 / sqrt(2 n)
    assert abs(float(result.spread.squeeze()) / std - 1) < 4 / np.sqrt(2 * n)
    drawn = said(capsys, "draw", "spread", "--result", str(tmp_path / "out" / "spread.nc")).out
    assert drawn.startswith("spread ")


def test_a_point_of_a_cell_that_was_changed_is_computed_again(lab):
    """By name the point is the same; what its package makes of the name is not."""
    before = environment()["plugins"]
    assert list(before) == ["lab-oxide 1.2"] and "lab-oxide 1.2" in ms.study.provenance()["plugins"]
    cells = lab / "lab_oxide" / "cells.py"
    cells.write_text(cells.read_text().replace("4e-7", "5e-7"))
    os.utime(cells, (1, 1))  # the hash of a file is kept as long as its time and size are the same
    assert environment()["plugins"] != before


def test_where_nothing_is_added_what_points_are_known_by_stays():
    assert "plugins" not in environment() and "plugins" not in ms.study.provenance()


def test_what_is_broken_is_named_and_breaks_nothing_else(broken, capsys):
    assert dm.device("oxide_lab").make().g_max == 30e-6
    with pytest.raises(ValueError, match=r"oxide_broken.*lab-oxide 1.2.*ModuleNotFoundError.*not_there"):
        dm.device("oxide_broken")
    assert dm.device("pcm_joshi2020") is dm.DEVICES["pcm_joshi2020"]
    listed = said(capsys, "list").out
    (import_error,) = [line for line in listed.splitlines() if "not_there" in line]
    assert "NOT USED" in import_error and "oxide_broken" in import_error
    (clash,) = [line for line in listed.splitlines() if "memsim's own" in line]
    assert "NOT USED" in clash and "pcm_joshi2020" in clash
    assert "NOT USED: A script of experiments must have `Config` and `run`. Got half without run" in listed
    assert "not_there" in said(capsys, "devices").out
    assert "without run" in said(capsys, "run", "half", status=2).err


def test_the_doctor_names_what_is_added_and_what_is_wrong_with_it(broken, capsys):
    found = json.loads(said(capsys, "doctor", "--json", status=1).out)
    troubles = {each["name"]: each["trouble"] for each in found["plugins"]}
    assert troubles["oxide_lab"] is None and troubles["spread"] is None
    assert len(found["troubles"]) == 3 and any("not_there" in each for each in found["troubles"])
    shown = said(capsys, "doctor", status=1).out
    assert "lab-oxide 1.2: devices oxide_lab" in shown and "WRONG" in shown
    assert f"{len(dm.DEVICES)} cells" in shown


def test_a_completion_script_knows_what_is_added_and_leaves_out_what_is_broken(broken, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--tyro-print-completion", "bash"])
    assert not stop.value.code
    script = capsys.readouterr().out
    assert "spread" in script and "--cells" in script and "check-device" in script


def test_two_packages_of_one_name_are_both_named_and_neither_is_used(tmp_path, monkeypatch, capsys):
    for name in ("lab-oxide", "lab-other"):
        folder = tmp_path / name
        folder.mkdir()
        laboratory.installed(laboratory.published(folder, name=name), monkeypatch)
    with pytest.raises(ValueError, match=r"must be of one package.*lab-other 1.2 and .*lab-oxide 1.2"):
        dm.device("oxide_lab")
    with pytest.raises(ValueError, match="must be of one package"):
        ms.chips.target("renamed")
    assert "must be of one package" in said(capsys, "run", "spread", status=2).err
    assert "have one name, and neither is used" in said(capsys, "list").out


def test_an_entry_that_makes_no_such_thing_is_refused(tmp_path, monkeypatch):
    wheel = laboratory.published(tmp_path, devices="nothing = lab_oxide.cells:__doc__\n")
    laboratory.installed(wheel, monkeypatch)
    with pytest.raises(ValueError, match="must be a function that makes a device"):
        dm.device("nothing")


def test_help_and_lists_import_no_other_package(broken):
    code = "from memsim._cli import main\ntry: main(['run', '--help'])\nexcept SystemExit: pass\n"
    code += "import sys; print('loaded:', *[m for m in ('lab_oxide', 'jax', 'numpy') if m in sys.modules])"
    path = os.pathsep.join([str(broken), str(ROOT)])
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": path}
    )
    assert "How far cells" in done.stdout and done.stdout.split("loaded:")[1].split() == []
