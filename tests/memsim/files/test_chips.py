"""Measured conductances become chips, and chips conductances and netlists."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
import xarray as xr

import device_models as dm
import memsim as ms
from circuits import HAS_NGSPICE, run_netlist
from helpers import quick_and_slow

KEY = jr.key(0)
FROM = ms.files.chip_from_conductances
needs_ngspice = pytest.mark.skipif(not HAS_NGSPICE, reason="ngspice is not installed")
MAPPINGS = {
    "pair": ms.DifferentialPair(),
    "interleaved": ms.DifferentialPair(arrangement="interleaved"),
    "digital": ms.OffsetColumn(),
    "column": ms.OffsetColumn(offset="column"),
    "sliced pair": ms.BitSliced(ms.DifferentialPair(), 2, 3),
    "sliced column": ms.BitSliced(ms.OffsetColumn(offset="column"), 2, 2),
}


def design(mapping="pair", **settings):
    return ms.Crossbar(dm.Ideal(1e-6, 25e-6), MAPPINGS[mapping], tile=(4, 3), compensation=None, **settings)


def programmed(mapping="pair", **settings):
    return design(mapping, **settings).program(jr.normal(KEY, (5, 6)), key=KEY)


def test_a_cell_that_was_measured_ages_as_one_that_was_written():
    device, g = dm.pcm_joshi2020(), jnp.full((1, 100, 200), 12e-6)
    ages = [
        device.conductance(cells, jnp.asarray(1e5)) / device.conductance(cells, jnp.zeros(()))
        for cells in (
            device.holding(g, key=jr.key(1)),
            device.program(g, key=jr.key(2)),
        )
    ]
    standard_error = np.std(ages[0]) * np.sqrt(2 / g.size)
    assert abs(np.mean(ages[0]) - np.mean(ages[1])) < 4 * standard_error  # 20 000 cells each
    assert np.isclose(np.std(ages[0]), np.std(ages[1]), rtol=0.03)


@pytest.mark.parametrize("mapping", quick_and_slow(("pair", "column", "sliced column"), MAPPINGS))
@pytest.mark.parametrize("ending", [None, "csv", "npz", "nc"])
def test_what_goes_out_comes_in_bit_for_bit(mapping, ending, tmp_path):
    chip = programmed(mapping, adc=ms.ADC(8))
    path = None if ending is None else tmp_path / f"chip.{ending}"
    found = ms.files.conductances(chip, 0.0, path)
    source = found if ending is None else xr.load_dataset(path) if ending == "nc" else path
    again = FROM(chip.crossbar, source, scale=chip.scales, key=KEY)
    np.testing.assert_array_equal(again.cells, chip.cells)
    assert all(
        np.array_equal(a, b) for a, b in zip(jax.tree.leaves(again.at(0.0)), jax.tree.leaves(chip.at(0.0)), strict=True)
    )
    if ending != "csv":
        np.testing.assert_array_equal(FROM(chip.crossbar, source, key=KEY).scales, chip.scales)


def test_a_bit_line_of_zeros_comes_back_too():
    chip = design().program(jnp.zeros((2, 3)).at[0].set(1.0), key=KEY)
    assert not FROM(chip.crossbar, ms.files.conductances(chip), key=KEY).scales[0, 1]


def test_labels_say_where_a_cell_is():
    chip = programmed("sliced column")
    found = ms.files.conductances(chip)
    assert found.conductance.dims == ("slice", "polarity", "row", "bit_line")
    assert found.conductance.attrs["units"] == "S"
    assert found.row_tile.values.tolist() == [0, 0, 0, 0, 1, 1]
    assert found.column.values.tolist() == [0, 1, 2, -1, 3, 4, -1]  # three weights a tile, then its reference
    reference = found.conductance.isel(bit_line=np.flatnonzero(found.column == -1), polarity=0)
    middle = chip.crossbar.mapping.mapping, chip.crossbar.mapping
    assert middle[1].slices == found.sizes["slice"] and np.ptp(reference.sel(slice=1).values) < 1e-12
    pair = ms.files.conductances(programmed())
    np.testing.assert_array_equal(pair.conductance.sel(polarity=-1)[0], programmed().cells[1])


def test_microsiemens_with_their_unit_are_read(tmp_path):
    lines = ["# probe station", "slice, polarity, row, bit_line, conductance [uS]"]
    lines += [
        f"0,{sign},{row},{line},{5 + row + 2 * line + sign}" for line in (1, 0) for row in (0, 1, 2) for sign in (1, -1)
    ]
    (tmp_path / "measured.csv").write_text("\n".join(lines))
    chip = FROM(design(), tmp_path / "measured.csv", scale=1.0, key=KEY)
    row, line = np.mgrid[:3, :2]
    np.testing.assert_allclose(chip.cells[0], 1e-6 * (6 + row + 2 * line), rtol=1e-6)
    w = chip.at(0.0).effective_weight
    np.testing.assert_allclose(w, np.full((2, 3), 2 / 24), rtol=1e-5)  # 2 of 24 microsiemens


def test_files_of_matrices_are_planes(tmp_path):
    g = np.random.default_rng(0).uniform(1e-6, 25e-6, (2, 3, 4))
    np.savetxt(tmp_path / "positive.csv", g[0], delimiter=",")
    np.save(tmp_path / "negative.npy", g[1])
    chip = FROM(design(), {"positive": tmp_path / "positive.csv", "negative": tmp_path / "negative.npy"}, key=KEY)
    np.testing.assert_allclose(chip.cells, g, rtol=1e-6)
    weights = FROM(design(), g, scale=2.0, key=KEY).at(0.0).effective_weight
    np.testing.assert_allclose(weights, 2 * (g[0] - g[1]).T / 24e-6, rtol=1e-4, atol=1e-6)


@pytest.mark.slow
def test_drift_is_compensated_from_what_was_measured():
    crossbar = ms.Crossbar(dm.pcm_joshi2020(), reads=ms.Reads("off"))
    g = np.asarray(jr.uniform(KEY, (2, 64, 32), minval=2e-6, maxval=20e-6))
    chip = FROM(crossbar, g, key=KEY)
    start, late = chip.at(0.0).effective_weight, chip.at(1e6).effective_weight
    slope = np.sum(start * late) / np.sum(start**2)
    bare = replace(crossbar, compensation=None)
    lost = FROM(bare, g, key=KEY).at(1e6).effective_weight
    assert abs(slope - 1) < 0.06 < 1 - np.sum(start * lost) / np.sum(start**2)


G = np.full((2, 3, 2), 1e-5)


@pytest.mark.parametrize(
    "source, says",
    [
        (1e6 * G, r"Micro-siemens\? Multiply by 1e-6"),
        (6e3 * G, "not far beyond the 2.5e-05 S"),
        (-G, "`conductances` must be"),
        (np.where(np.arange(2) == 0, np.nan, G), "`conductances` must be"),
        (G[0], "`conductances` must be"),
        (G[:1], "with 2 planes"),
        ({"positive": G[0]}, "without negative"),
        ({"positive": G[0], "negativ": G[1]}, "Did you mean negative"),
        ({"positive": G[0], "negative": G[1][:2]}, "matrices"),
        ("nowhere.npz", "must be there"),
    ],
)
def test_what_is_no_measurement_of_such_a_chip_is_named(source, says):
    with pytest.raises((ValueError, OSError), match=says):
        FROM(design(), source, key=KEY)


def test_files_that_lack_a_cell_say_which(tmp_path):
    path = tmp_path / "chip.csv"
    ms.files.conductances(programmed(), 0.0, path)
    lines = path.read_text().splitlines()
    for wrong, says in (
        (lines[:-1], "Got 0 of negative, row 5, bit line 4"),
        ([*lines, lines[1]], "Got 2 of positive, row 0"),
    ):
        path.write_text("\n".join(wrong))
        with pytest.raises(ValueError, match=says):
            FROM(design(), path, scale=1.0, key=KEY)
    with pytest.raises(ValueError, match="slices and polarities"):
        FROM(design("digital"), path, scale=1.0, key=KEY)
    with pytest.raises(ValueError, match=r"must end in \.csv"):
        ms.files.conductances(programmed(), 0.0, tmp_path / "chip.txt")
    with pytest.raises(ValueError, match="one of several"):
        ms.files.conductances(jax.vmap(lambda key: design().program(jnp.ones((2, 2)), key=key))(jr.split(KEY, 2)))


def test_devices_that_a_measurement_does_not_tell_say_so():
    pair = dm.CellPair(dm.Ideal(), dm.Ideal(), 4.0)
    for device, says in (
        (pair, "its coarse and of its fine cell"),
        (dm.StuckCells(dm.Ideal(), 0.1), "does not say which"),
    ):
        with pytest.raises(ValueError, match=says):
            FROM(ms.Crossbar(device), G, key=KEY)
    bounded = dm.Gaussian(0.0, 25e-6, highest=25e-6)
    with pytest.raises(ValueError, match="Is it another device"):
        FROM(ms.Crossbar(bounded), 3 * G, key=KEY)


WIRES = {
    "ideal": ms.IdealWires(),
    "lossy": ms.ResistiveWires(20.0, 30.0, 50.0, 70.0),
    "both": ms.ResistiveWires(20.0, 30.0, 50.0, drive="both", sense="top"),
    "right": ms.ResistiveWires(5.0, 0.0, drive="right"),
    "bit lines only": ms.ResistiveWires(0.0, 40.0),
    "ends only": ms.ResistiveWires(0.0, 0.0, 100.0, 200.0),
}


@needs_ngspice
@pytest.mark.parametrize(
    "mapping, wires",
    [*(("pair", name) for name in WIRES), ("interleaved", "lossy"), ("digital", "both"), ("column", "lossy")],
)
def test_the_currents_of_the_netlist_are_those_of_the_matrix(mapping, wires, tmp_path):
    with jax.enable_x64(True):
        chip = programmed(mapping, wires=WIRES[wires], reads=ms.Reads(v_read=0.1))
        x, crossbar = jnp.linspace(-1.0, 1.0, 6), chip.crossbar
        g = np.asarray(crossbar.mapping.behind(crossbar.wires.effective, chip.cells, crossbar.tile))
        arrays = ["pair"] if mapping == "interleaved" else ["single"] if g.shape[0] == 1 else ["positive", "negative"]
        for place, array in enumerate(arrays):
            ms.files.netlist(chip, tmp_path / "tile.cir", inputs=x, array=array, tile=(1, 1))
            planes = g[:, 4:, 3:].transpose(1, 2, 0).reshape(2, -1) if array == "pair" else g[place, 4:]
            lines = planes if array == "pair" else planes[:, 4:] if mapping == "column" else planes[:, 3:]
            expected = 0.1 * np.asarray(x[4:]) @ lines
            found = run_netlist(tmp_path / "tile.cir", "vs", len(expected))
            np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6 * np.abs(expected).max())


@needs_ngspice
def test_a_read_is_the_difference_of_two_netlists(tmp_path):
    """Through a DAC of 4 bits and an offset of the amplifiers; y = scale (I+ - I-) / (v_read (g_max - g_min))."""
    sense = ms.SenseAmplifier(series_resistance=500.0, offset=2e-3)
    with jax.enable_x64(True):
        crossbar = replace(design(dac=ms.DAC(4, 1.0), reads=ms.Reads(v_read=0.2, sense=sense)), tile=(6, 5))
        chip = crossbar.program(jr.normal(KEY, (5, 6)), key=KEY)
        x = jnp.linspace(-1.0, 0.9, 6)
        currents = []
        for array in ("positive", "negative"):
            ms.files.netlist(chip, tmp_path / "tile.cir", inputs=x, array=array)
            currents.append(run_netlist(tmp_path / "tile.cir", "vs", 5))
        y = np.asarray(chip.scales[0]) * (currents[0] - currents[1]) / (0.2 * 24e-6)
        np.testing.assert_allclose(chip.at(0.0)(x), y, rtol=1e-6, atol=1e-6 * np.abs(y).max())


@needs_ngspice
@pytest.mark.parametrize(
    "iv", [dm.iv.Sinh(3.0), dm.iv.Cubic(5.0), dm.iv.MiloPolynomial()], ids=lambda iv: type(iv).__name__
)
def test_cells_that_are_not_ohmic_are_sources(iv, tmp_path):
    with jax.enable_x64(True):
        crossbar = ms.Crossbar(
            dm.Ideal(50e-6, 225e-6, iv=iv), tile=(8, 8), compensation=None, reads=ms.Reads(v_read=0.3)
        )
        chip = crossbar.program(jr.normal(KEY, (5, 6)), key=KEY)
        x, wires = jnp.linspace(-1.0, 1.0, 6), ms.ResistiveWires(3.0, 4.0)
        ms.files.netlist(chip, tmp_path / "tile.cir", inputs=x, wires=wires)
        expected = np.asarray(wires.currents(crossbar.device, chip.cells[0], 0.3 * x))
        found = run_netlist(tmp_path / "tile.cir", "vs", 5)
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6 * np.abs(expected).max())


@needs_ngspice
def test_pulses_that_last_move_the_charge_of_a_voltage(tmp_path):
    with jax.enable_x64(True):
        chip = replace(design(dac=ms.BitSerialDAC(4, 1.0)), tile=(8, 8)).program(jnp.ones((2, 3)), key=KEY)
        ms.files.netlist(chip, tmp_path / "tile.cir", inputs=[1.0, -1.0, 4 / 7], pulse=2)  # codes 7, -7, 4
        found = run_netlist(tmp_path / "tile.cir", "vs", 2)
        np.testing.assert_allclose(found, 0.2 * 25e-6 * (1 - 1 + 1), rtol=1e-6)


@pytest.mark.parametrize(
    "settings, says",
    [
        ({"array": "positiv"}, "Did you mean positive"),
        ({"tile": (2, 0)}, "one of 2 x 2"),
        ({"pulse": 1}, "one of the 1 pulses"),
        ({"wires": ms.AlphaBetaWires(1.0, 1.0)}, "no circuit"),
        ({"inputs": np.ones((2, 6))}, r"one input of the whole matrix, of shape \(6,\)"),
        ({"inputs": np.ones(5)}, r"of shape \(6,\)\. Got \(5,\)"),
        ({"inputs": np.full(6, np.nan)}, "`inputs` must be"),
    ],
)
def test_what_no_netlist_can_be_made_of_is_named(settings, says, tmp_path):
    with pytest.raises(ValueError, match=says):
        ms.files.netlist(programmed(), tmp_path / "tile.cir", **({"inputs": jnp.ones(6)} | settings))
    assert not list(tmp_path.iterdir())
