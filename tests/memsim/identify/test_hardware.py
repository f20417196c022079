"""Reads of hardware are kept, and identification says what is wrong with reads and designs."""

import dataclasses
import json

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import device_models as dm
import memsim as ms

CELL = dm.Ideal(1e-6, 50e-6)
CIRCUIT = ms.identify.Circuit(CELL, 3, 2)
G = np.array([[1e-5, 4e-5], [2e-5, 3e-5], [5e-6, 2e-5]])
KEY = jr.key(0)


def test_a_log_replays_bit_for_bit(tmp_path):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(5, 3))
    hardware = ms.identify.Experiment(lambda x: (x @ G + rng.normal(size=(5, 2))).astype(np.float32), tmp_path / "log")
    first = hardware(x), hardware(2 * x)
    again = ms.identify.Experiment(None, tmp_path / "log")
    for before, after in zip(first, (again(x), again(2 * x)), strict=True):
        assert before.dtype == after.dtype and before.tobytes() == after.tobytes()
    times = [batch.time for batch in again.batches]
    assert len(times) == 2 and times[0] <= times[1]
    with pytest.raises(ValueError, match="ends after 2 batches"):
        again(x)


def test_hardware_that_fails_half_way_loses_nothing(tmp_path):
    asked = []

    def fails(x):
        if len(asked) == 1:
            raise OSError("the cable")
        asked.append(x)
        return x @ G

    def works(x):
        asked.append(x)
        return x @ G

    circuit = ms.identify.Circuit(CELL, 3, 2)
    with pytest.raises(OSError, match="the cable"):
        ms.identify.identify(ms.identify.Experiment(fails, tmp_path / "log"), circuit, budget=40, key=KEY)
    found = ms.identify.identify(ms.identify.Experiment(works, tmp_path / "log"), circuit, budget=40, key=KEY)
    whole = ms.identify.identify(lambda x: x @ G, circuit, budget=40, key=KEY)
    assert [len(x) for x in asked] == [32, 8]  # each once
    assert found.conductances.mean.tobytes() == whole.conductances.mean.tobytes()


def test_an_experiment_that_failed_begins_again_with_its_file(tmp_path):
    asked = []

    def once(x):
        asked.append(x)
        if len(asked) == 2:
            raise KeyboardInterrupt
        return x @ G

    hardware = ms.identify.Experiment(once, tmp_path / "log")
    for _ in range(2):
        try:
            found = [hardware(np.eye(3)), hardware(2 * np.eye(3))]
        except KeyboardInterrupt:
            continue
    assert np.array_equal(found[0], G) and np.array_equal(found[1], 2 * G)
    assert len(asked) == 3 and len(hardware.batches) == 2


def test_half_a_line_that_a_kill_left_is_read_again(tmp_path):
    log = tmp_path / "log"
    ms.identify.Experiment(lambda x: x @ G, log)(np.eye(3))
    whole = log.read_bytes()
    log.write_bytes(whole + whole[: len(whole) // 2])
    hardware = ms.identify.Experiment(lambda x: 2 * x @ G, log)
    assert np.array_equal(hardware(np.eye(3)), G)
    assert np.array_equal(hardware(np.eye(3)), 2 * G)
    assert [set(json.loads(line)) for line in log.read_text().splitlines()] == [{"time", "x", "y"}] * 2


def test_other_inputs_than_those_of_the_log_are_refused(tmp_path):
    ms.identify.Experiment(lambda x: x @ G, tmp_path / "log")(np.eye(3))
    with pytest.raises(ValueError, match=r"Inputs must be those of the file. Batch 0"):
        ms.identify.Experiment(None, tmp_path / "log")(2 * np.eye(3))


X = 0.2 * np.concatenate([np.eye(3), -np.eye(3), np.eye(3)])


def test_reads_that_contradict_each_other_are_refused():
    y = X @ G
    y[7] *= 1.5  # the same input as the second read
    known = ms.identify.Known(noise=1e-8)
    with pytest.raises(ValueError, match="Reads must agree within their noise"):
        ms.identify.infer(X, y, CIRCUIT, known)
    found = ms.identify.infer(X, y, CIRCUIT, known, strict=False)
    assert found.fit.p_value < 1e-9


@pytest.mark.parametrize(
    "x, y, says",
    [
        (X, np.full((9, 2), np.nan), "`y` must be an array of finite numbers"),
        (X[:1], (X @ G)[:1], "Reads must be at least 2, half as many as word lines"),
        (X, (X @ G)[:, :1], r"must be of shape \(reads, 3\) and \(reads, 2\)"),
        (0 * X, 0 * X @ G, "Inputs must drive the array"),
    ],
)
def test_reads_that_tell_nothing_are_refused(x, y, says):
    with pytest.raises(ValueError, match=says):
        ms.identify.infer(x, y, CIRCUIT)


BOTH = ms.identify.Circuit(CELL, 3, 2, ms.ResistiveWires(1.0, 1.0), terminals="all")


@pytest.mark.parametrize(
    "x, y, circuit, says",
    [
        (1e3 * X, X @ G, CIRCUIT, "in volts, of at most 5. Got 200. Millivolts"),
        (X, 1e6 * X @ G, CIRCUIT, "in amperes.*Microamperes"),
        (X, -X @ G, CIRCUIT, "those into the sinks. Got the opposite sign"),
        (X, 0 * X @ G, CIRCUIT, "Got zeros only. Is the array connected"),
        (np.pad(X, [(0, 0), (0, 2)]), np.concatenate([-X * G.sum(1), X @ G], 1), BOTH, "out of the drivers.*opposite"),
    ],
)
def test_reads_in_other_units_or_with_other_signs_are_refused(x, y, circuit, says):
    with pytest.raises(ValueError, match=says):
        ms.identify.infer(x, y, circuit)


def test_a_function_that_gives_complex_numbers_is_refused():
    with pytest.raises(ValueError, match="real numbers"):
        ms.identify.identify(lambda x: 1j * (x @ G), CIRCUIT, budget=4, key=KEY)


def test_saturated_reads_are_refused_where_many_and_left_out_where_few():
    design = ms.Crossbar(dm.Ideal(0.0, 5e-5), adc=ms.ADC(10, 1.2), reads=ms.Reads("off"), compensation=None)
    w = np.array([[1.0, 0.5, -0.5], [1.0, -0.2, 0.3]])
    matrix = design.program(w, key=KEY).at(0.0)
    known = ms.identify.Known(targets=w, error=1e-6)
    large = np.array([[1.0, 1.0, -1.0], [-1.0, -1.0, 1.0]])
    with pytest.raises(ValueError, match=r"may be at the end of the ADC's range\. Got"):
        ms.identify.infer(large, matrix(large), design, known)
    x = np.concatenate([np.tile(np.eye(3), (10, 1)), [[1.0, 1.0, -1.0]]])
    found = ms.identify.infer(x, matrix(x), design, known)
    assert found.unused == 1 and "1 saturated outputs left out" in str(found)
    assert np.abs(found.matrix - w).max() < 2 * 1.2 / 511
    good, bad = np.asarray(matrix(x[:-1])), np.asarray(matrix(large[np.arange(30) % 2]))
    with pytest.raises(ValueError, match="range, of each chip; those of 1 do not, such as number 29"):
        ms.identify.infer(x[:-1], np.stack([good] * 29 + [bad]), design, known)


def test_of_many_chips_each_is_tested_by_its_own_reads():
    design = ms.Crossbar(dm.Ideal(0.0, 5e-5), adc=ms.ADC(10, 1.2), reads=ms.Reads("off"), compensation=None)
    w, x = np.array([[1.0, 0.5, -0.5], [0.7, -0.2, 0.3]]), np.tile(np.eye(3), (10, 1))
    known, y = ms.identify.Known(targets=w, error=1e-6), np.asarray(design.program(w, key=KEY).at(0.0)(x))
    clipped = y.copy()
    clipped[0] = 1.2
    together = ms.identify.infer(x, np.stack([y, clipped]), design, known, strict=False)
    for number, reads in enumerate((y, clipped)):
        alone = ms.identify.infer(x, reads, design, known, strict=False)
        assert together.fit.outputs[number] == alone.fit.outputs == 60 - 2 * number
        np.testing.assert_allclose(together.fit.degrees[number], alone.fit.degrees, rtol=1e-6)


@pytest.mark.parametrize(
    "design, says",
    [
        (ms.Crossbar(dm.Ideal(iv=dm.iv.Sinh(2.5)), compensation=None), "Cells must be ohmic"),
        (ms.Crossbar(dm.Ideal(), wires=ms.AlphaBetaWires(1.0, 1.0), compensation=None), "a circuit with a gradient"),
        (
            ms.Crossbar(dm.Ideal(), dac=ms.DAC(8, errors=ms.ConverterErrors(0.1)), compensation=None),
            "DAC must be without",
        ),
        (ms.Crossbar(dm.Ideal(), tile=(2, 2), compensation=None), "One array must be identified at a time"),
        (ms.Crossbar(dm.Ideal(), mapping=ms.OffsetColumn(offset="column"), compensation=None), "The mapping must be"),
    ],
)
def test_designs_whose_reads_are_not_linear_in_what_is_unknown_are_refused(design, says):
    known = ms.identify.Known(targets=np.ones((2, 3)))
    with pytest.raises(ValueError, match=says):
        ms.identify.infer(X, X @ G, design, known)


def test_what_cannot_be_told_apart_is_refused_by_name():
    with pytest.raises(
        ValueError, match=r"unknown \['gain'\], which cannot be told from the scale of the conductances"
    ):
        ms.identify.Known(gain=0.1)
    line = ms.identify.Circuit(CELL, 3, 1, ms.ResistiveWires(1.0, 1.0, 5.0, 5.0))
    with pytest.raises(ValueError, match="`word_line` and `source` cannot be told apart"):
        ms.identify.infer(X, X @ G[:, :1], line)
    ideal = ms.Crossbar(dm.Ideal(), compensation=None)
    known = ms.identify.Known(targets=np.ones((2, 3)), age=10.0, age_spread=1.0)
    with pytest.raises(ValueError, match="age cannot be told from cells that do not drift"):
        ms.identify.infer(X, X @ G, ideal, known)


def test_what_reads_told_less_than_nothing_of_is_said_as_nothing():
    found = ms.identify.infer(X, X @ G, CIRCUIT)
    shared = {"source": ms.identify.Factor(np.array(1.0), np.array(1.1), np.array(-0.11))}
    found = dataclasses.replace(found, shared=shared, correlation=np.ones((1, 1)))
    assert "source: 0% of its variance" in found.not_told[0]


def test_the_age_of_a_chip_is_told_by_its_drift():
    """Joshi's cells, read after a day, with an age guessed within a factor of e cubed."""
    design = ms.Crossbar(dm.pcm_joshi2020(), reads=ms.Reads("off"), compensation=None)
    w = jr.normal(KEY, (16, 16))
    matrix = design.program(w, key=KEY).at(86400.0)
    known = ms.identify.Known(targets=w, age=3600.0, age_spread=3.0)
    age = ms.identify.identify(matrix, design, known, budget=32, key=KEY).shared["age"]
    assert age.told > 0.75
    low, high = age.interval(0.999)
    assert low < 86400.0 < high


def test_targets_in_micro_siemens_are_refused():
    with pytest.raises(ValueError, match="Micro-siemens"):
        ms.identify.infer(np.eye(3), G, CIRCUIT, ms.identify.Known(targets=1e6 * G))


def test_a_factor_of_drift_compensation_is_not_taken_for_conductances():
    known = ms.identify.Known(targets=np.ones((2, 3)), age=1e5)
    with pytest.raises(ValueError, match="compensation=None"):
        ms.identify.infer(np.eye(3), np.ones((3, 2)), ms.Crossbar(dm.pcm_joshi2020()), known)


def test_chips_whose_reads_contradict_each_other_are_counted():
    x, y = np.tile(np.eye(3), (3, 1)), np.concatenate([G, G, G])
    wrong = np.concatenate([G, 1.001 * G, 0.999 * G])
    with pytest.raises(ValueError, match="those of 1 do not, such as number 1"):
        ms.identify.infer(x, np.stack([y, wrong, y]), CIRCUIT)
    assert ms.identify.infer(x, np.stack([y, wrong, y]), CIRCUIT, strict=False).fit.p_value[1] < 1e-9


def test_reads_that_are_traced_or_complex_are_refused_in_words():
    with pytest.raises(ValueError, match="outside of `jit`"):
        jax.jit(lambda y: ms.identify.infer(np.eye(3), y, CIRCUIT).matrix)(jnp.asarray(G))
    with pytest.raises(ValueError, match="real numbers"):
        ms.identify.infer(np.eye(3), G * (1 + 1j), CIRCUIT)


def test_inputs_of_another_array_are_no_inputs_before():
    with pytest.raises(ValueError, match="`after` must be inputs of shape"):
        ms.identify.choose(CIRCUIT, 3, after=np.ones((2, 5)), key=KEY)


def test_a_folder_that_is_not_there_costs_no_read(tmp_path):
    log = tmp_path / "new" / "log"
    ms.identify.Experiment(lambda x: x @ G, log)(np.eye(3))
    assert np.array_equal(ms.identify.Experiment(None, log)(np.eye(3)), G)


def test_an_array_whose_converters_round_at_random_is_read_with_a_key():
    design = ms.Crossbar(dm.Ideal(), adc=ms.ADC(8, rounding="stochastic"), compensation=None)
    w = np.random.default_rng(0).normal(size=(2, 3))
    matrix = design.deploy(jnp.asarray(w, jnp.float32), 0.0, key=KEY)
    found = ms.identify.identify(matrix, design, ms.identify.Known(targets=w), budget=4, key=KEY)
    np.testing.assert_allclose(found.matrix, w, atol=1e-4)  # what is known of ideal cells
