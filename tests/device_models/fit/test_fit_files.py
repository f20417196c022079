"""Measurements come from text files, fitted devices go to files and come back the same."""

import gzip
import json
import re
import subprocess
import sys
import zipfile

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import device_models as dm
from device_models.fit import (
    combine,
    fit_drift,
    fit_programming,
    fit_read_noise,
    load_device,
    load_provenance,
    read_cells,
    read_csv,
    save_device,
)

G_MAX = 25e-6
LEVELS = np.linspace(2e-6, G_MAX, 16)
RNG = np.random.default_rng(0)
WRITES = fit_programming(LEVELS, LEVELS + 1e-6 * RNG.normal(size=(40, 16)), degree=1, g_max=G_MAX)
TIMES = np.logspace(0, 5, 6)


def drift(**settings):
    nu = 0.05 + 0.01 * RNG.normal(size=100)
    conductance = RNG.uniform(2e-6, G_MAX, 100)[:, None] * (1 + TIMES / 20.0) ** -nu[:, None]
    return fit_drift(TIMES, conductance * np.exp(0.01 * RNG.normal(size=(100, 6))), t_0=20.0, **settings)


def written(tmp_path, text):
    path = tmp_path / "cells.csv"
    path.write_text(text, encoding="utf-8")
    return path


# Text files.


@pytest.mark.parametrize("encoding", ["utf-32", "utf-32-le", "utf-32-be", "zip", "gzip"])
def test_a_file_that_is_no_text_is_refused_with_what_to_save(tmp_path, encoding):
    path = tmp_path / "cells.csv"
    if encoding == "zip":
        with zipfile.ZipFile(path, "w") as file:
            file.writestr("xl/workbook.xml", "target [uS]")
    else:
        text = "target [uS]\n1\n"
        path.write_bytes(gzip.compress(text.encode()) if encoding == "gzip" else text.encode(encoding))
    with pytest.raises(ValueError, match=r"must be text\..*Save it as CSV in UTF-8\."):
        read_csv(path, {"target": "S"})


def test_columns_are_converted_to_si_by_the_unit_in_their_header(tmp_path):
    path = written(tmp_path, "# wafer 3\ntarget [uS], time [min],G [nS],cycles\n\n10,2,1e4,7\n2.5, 0.5 ,2500,8\n")
    data = read_csv(path, {"time": "s", "target": "S", "G": "S", "cycles": "1"})
    assert list(data) == ["time", "target", "G", "cycles"]
    np.testing.assert_allclose(data["target"], [1e-5, 2.5e-6], rtol=1e-15)
    np.testing.assert_allclose(data["G"], [1e-5, 2.5e-6], rtol=1e-15)
    np.testing.assert_array_equal(data["time"], [120.0, 30.0])
    np.testing.assert_array_equal(data["cycles"], [7.0, 8.0])


def test_lines_of_cells_in_any_order_become_a_table(tmp_path):
    lines = [f"{cell},{time},{10 * cell + time}" for cell in (3, 1) for time in (100, 1, 10)]
    path = written(tmp_path, "cell,time [s],conductance [uS]\n" + "\n".join(lines))
    times, conductances = read_cells(path, {"time": "s", "conductance": "S"})
    np.testing.assert_array_equal(times, [1, 10, 100])
    np.testing.assert_allclose(conductances, [[11e-6, 20e-6, 110e-6], [31e-6, 40e-6, 130e-6]], rtol=1e-15)


@pytest.mark.parametrize(
    "text, says",
    [
        ("targt [uS],G [uS]\n1,1", "Did you mean targt?"),
        ("target [uC],G [uS]\n1,1", "Got 'uC'. Did you mean"),
        ("target [mV],G [uS]\n1,1", "must be S or a multiple of it. Got 'mV'"),
        ("target,G [uS]\n1,1", "must be S or a multiple of it. Got '1'. Write it in square brackets"),
        ("target [uS],G [uS]\n1,1\n\n1,nan", "Got 'nan' in line 4"),
        ("target [uS],G [uS]\n1,1\n1", "Got '' in line 3"),
        ("target [uS],G [uS]\n1,n/a", "Got 'n/a' in line 2"),
        ("target [uS],target [uS],G [S]\n1,1,1", "Got 'target' twice"),
        ("", "is empty"),
        ("# nothing but a comment\n\n", "is empty"),
        ("target [uS],G [uS]\n", "only names its columns"),
        ("target [uS],G [uS]\n1,1\n1,5,2,5\n", "Line 3"),
        ("target [uS],G [uS]\n1,5,2,5\n", "Got 4: '1,5,2,5'. Decimal commas? Write points: 1.5."),
        ("target [uS],G [uS],t [s]\n1,1,1\n1,1\n", "must have 3 entries, one a column. Got 2. Was the file cut?"),
        ("target [uS];G [uS]\n1,5;2,5\n", "separated by semicolons"),
        ("target [uS]\tG [uS]\n1\t2\n", "separated by tabs"),
        ("target [uS],G [uS]\n1_5,1", "Got '1_5' in line 2"),
        ("target [uS],G [uS]\n1,1\0", "has zero bytes"),
        ('target [uS],G [uS]\n"1,5","2,5"\n', "Decimal commas"),
        ('target [uS],G [uS]\n"-1,5e-3","2"\n', "Decimal commas"),
    ],
)
def test_a_bad_text_file_is_refused_with_the_place(tmp_path, text, says):
    with pytest.raises(ValueError, match=re.escape(says)):
        read_csv(written(tmp_path, text), {"target": "S", "G": "S"})


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252", "latin-1"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_a_file_is_read_as_spreadsheets_save_it(tmp_path, encoding, newline):
    text = newline.join(["target [µS],G [µS],,", "# gemessen bei 25 °C", "1,2,,", "3,4,,", ""])
    (tmp_path / "cells.csv").write_bytes(text.encode(encoding))
    data = read_csv(str(tmp_path / "cells.csv"), {"target": "S", "G": "S"})
    np.testing.assert_allclose(data["target"], [1e-6, 3e-6], rtol=1e-15)
    np.testing.assert_allclose(data["G"], [2e-6, 4e-6], rtol=1e-15)


def test_a_unit_that_nothing_can_be_wanted_in_is_refused(tmp_path):
    with pytest.raises(ValueError, match="Got 'uS' for 'G'"):
        read_csv(written(tmp_path, "G [uS]\n1\n"), {"G": "uS"})


def test_a_cell_that_lacks_a_time_is_named(tmp_path):
    path = written(tmp_path, "cell,time [s],G [uS]\n1,1,1\n1,2,1\n7,1,1")
    with pytest.raises(ValueError, match=re.escape("Got 0 for cell 7 at 2")):
        read_cells(path, {"time": "s", "G": "S"})


# Device files.

PCM_WITH_ARRAYS = dm.pcm_joshi2020(
    write_noise_scale=jnp.asarray(0.1, jnp.float32), nu_scale=jnp.asarray([2**-24]).sum()
)
SAVED = {
    **{name: dm.device(name).make for name in dm.DEVICES},
    **{name: dm.memristors.memristor(name).make for name in dm.memristors.MEMRISTORS},
    **{name: entry.make for name, entry in dm.pulsed.PULSED.items()},
    "fitted": lambda: WRITES.device,
    "arrays": lambda: PCM_WITH_ARRAYS,
    "wrapped": lambda: dm.StuckCells(dm.WriteVerify(dm.pcm_hermes1(), window=1e-7, max_pulses=9), p_on=0.1 + 0.2),
    "levels": lambda: dm.Levels(dm.Ideal(g_min=1e-6, iv=dm.iv.Sinh(2.5)), n=16),
    "infinite": lambda: dm.curves.InversePower(factor=1e-300, power=1 / 3, high=float("inf")),
    "pulsed": lambda: dm.pulsed.SoftBounds(
        dm.pulsed.Steps(1e-3, noise=dm.pulsed.AdditiveNoise(0.3)), dm.pulsed.Bounds(-0.7, 1.1)
    ),
}


@pytest.mark.parametrize("name", SAVED)
def test_a_device_comes_back_bit_by_bit(tmp_path, name):
    device = SAVED[name]()
    save_device(tmp_path / "device.json", device, provenance={"lot": 7})
    loaded = load_device(tmp_path / "device.json")
    assert eqx.tree_equal(device, loaded, typematch=True)
    assert jax.tree.structure(device) == jax.tree.structure(loaded)
    assert load_provenance(tmp_path / "device.json") == {"lot": 7}


def test_a_file_that_is_missing_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"A file of measurements must be there\. Got .*nowhere\.csv"):
        dm.fit.read_csv(tmp_path / "nowhere.csv", {"g": "S"})
    with pytest.raises(FileNotFoundError, match=r"A device file must be there\. Got .*nowhere\.json"):
        dm.fit.load_device(tmp_path / "nowhere.json")


def test_a_file_carries_units_and_where_the_numbers_are_from(tmp_path):
    data = written(tmp_path, "target [uS],G [uS]\n1,1\n")
    save_device(tmp_path / "device.json", WRITES.device, provenance=WRITES.provenance(data))
    content = json.loads((tmp_path / "device.json").read_text())
    fields = content["device"]["fields"]
    assert fields["g_max"] == {"value": G_MAX, "unit": "S"}
    noise = fields["write_noise"]["value"]["fields"]["coefficients"]
    assert noise["unit"] == "S" and noise["value"] == [e.value for e in WRITES.parameters.values()]
    assert fields["nu_mean"]["value"]["fields"]["coefficients"]["unit"] == "1"
    assert fields["t_0"]["unit"] == "s"
    provenance = content["provenance"]
    digest = subprocess.run(["sha256sum", str(data)], capture_output=True, text=True, check=True).stdout.split()[0]
    assert provenance["data"] == {"file": "cells.csv", "sha256": digest}
    estimate = WRITES.parameters["write_noise[1]"]
    assert provenance["parameters"]["write_noise[1]"] == {
        "value": estimate.value,
        "low": estimate.low,
        "high": estimate.high,
        "unit": "S",
    }
    assert provenance["goodness"]["adequate"] is True and re.match(r"20\d\d-\d\d-\d\dT", provenance["date"])


def change(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


@pytest.mark.parametrize(
    "old, new, says",
    [
        ('"PCM"', '"PMC"', "Did you mean PCM"),
        ('"PCM"', '"eval"', "must be of a known class"),
        ('"version": 1', '"version": 2', "Got 2"),
        ("device_models.device", "other", "Is it another file?"),
        ("{", "", "Was it cut or edited?"),
        ('"g_max"', '"gmax"', "must have the fields"),
        ('"unit": "S"', '"unit": "uS"', "must be in S. Got 'uS'"),
        ("2.5e-05", "25", "Micro-siemens"),
        ('"provenance"', '"from"', "lacks provenance"),
        ("2.5e-05", '{"float": "many"}', "could not convert"),
        ("2.5e-05", '{"code": "1"}', "device.g_max has ['code']"),
    ],
)
def test_a_changed_file_is_refused_with_what_is_wrong(tmp_path, old, new, says, unchecked):
    path = tmp_path / "device.json"
    save_device(path, WRITES.device, provenance={})
    change(path, old, new)
    with pytest.raises(ValueError, match=re.escape(says)):
        load_device(path)


def test_what_no_file_can_hold_is_not_saved(tmp_path, unchecked):
    class Private(eqx.Module):
        x: float = 1.0

    with pytest.raises(ValueError, match="classes that `device_models` exports"):
        save_device(tmp_path / "device.json", Private(), provenance={})
    curve = dm.curves.Polynomial((1.0,))
    object.__setattr__(curve, "coefficients", lambda g: g)
    with pytest.raises(ValueError, match="Got function"):
        save_device(tmp_path / "device.json", curve, provenance={})
    with pytest.raises(ValueError, match="`provenance` must be of what JSON can hold"):
        save_device(tmp_path / "device.json", dm.Ideal(), provenance={"data": np.ones(2)})
    assert not (tmp_path / "device.json").exists()


# Several measurements of one cell.


@pytest.mark.slow
def test_fits_of_one_cell_make_one_device():
    aged = drift(g_max=G_MAX)
    reads = 10e-6 + 1e-7 * RNG.normal(size=(20, 64))
    read = fit_read_noise(reads, t_0=20.0, t_read=1e-6, g_min=5e-6, g_max=G_MAX)
    device = combine(WRITES, aged, read)
    assert device.effects == ("write noise", "drift", "read noise")
    assert (device.t_0, device.t_read, device.g_max) == (20.0, 1e-6, G_MAX)
    assert device.write_noise == WRITES.device.write_noise and device.nu_mean == aged.device.nu_mean
    assert len(device.sources) == len(WRITES.parameters) + len(aged.parameters) + len(read.parameters)
    assert device.g_min == 5e-6


def test_fits_that_do_not_belong_together_are_refused():
    with pytest.raises(ValueError, match="measured by one fit"):
        combine(WRITES, WRITES)
    with pytest.raises(ValueError, match="one `g_max`"):
        combine(WRITES, drift(g_max=30e-6))
    with pytest.raises(ValueError, match="one or more fits"):
        combine()


def test_importing_the_fits_loads_nothing_heavy():
    code = (
        "import device_models.fit, sys; "
        "print(*[m for m in ('scipy', 'matplotlib', 'diffrax', 'optax') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
