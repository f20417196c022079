"""What the array refuses: values that cannot be, wherever and however they are written, with what to write instead."""

import dataclasses
import re
from typing import Any

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import device_models as dm
import memsim as ms
from helpers import DEVICES
from memsim._array import Clipping, UnlimitedADC, UnlimitedDAC

pytestmark = [
    pytest.mark.usefixtures("unchecked"),
    pytest.mark.filterwarnings("ignore:A JAX array is being set as static"),
]
KEY = jr.key(0)
PCM, EXACT = ms.Crossbar(dm.pcm_joshi2020()), ms.Crossbar(dm.Ideal(), compensation=None)
W = np.linspace(-1.0, 1.0, 6, dtype=np.float32).reshape(2, 3)
PLANE = jnp.full((3, 2), 1e-5)

DESIGNS = [
    PCM,
    ms.ADC(8),
    ms.SAR(8),
    ms.Ramp(8),
    ms.DAC(8),
    ms.PulseWidthDAC(8),
    ms.BitSerialDAC(8),
    UnlimitedADC(adc=ms.ADC(8)),
    UnlimitedDAC(dac=ms.DAC(8)),
    ms.ConverterErrors(),
    ms.SenseAmplifier(),
    ms.DifferentialPair(),
    ms.OffsetColumn(),
    ms.BitSliced(ms.DifferentialPair(), 2, 4),
    ms.ResistiveWires(1.0, 1.0),
    ms.AlphaBetaWires(1.0, 1.0),
    ms.GlobalDriftCompensation(),
    ms.Correlated(dm.noise.Flicker(1.0, 1e4), 1e-3),
    ms.GradientDescent(),
    ms.Percentile(),
    ms.LeastSquares(),
]


def named(thing: Any) -> str:
    return type(thing).__name__


def numbered(kind: Any) -> str:
    return kind.__name__


# Fields.


def settings() -> list[tuple[Any, str]]:
    made = [
        *DESIGNS,
        PCM.program(jnp.asarray(W), key=KEY),
        PCM.deploy(jnp.asarray(W), 0.0, key=KEY),
        Clipping(jnp.zeros(()), jnp.zeros(1)),
    ]
    return [(design, f.name) for design in made for f in dataclasses.fields(design) if f.type is not Any]


@pytest.mark.parametrize(
    "design, field", settings(), ids=lambda value: value if isinstance(value, str) else named(value)
)
def test_every_setting_of_every_part_refuses_another_kind_of_thing(design, field):
    for wrong in ("nonsense", [1.0, 2.0], 1j, np.asarray(1j), dm.Ideal, {}):
        with pytest.raises(ValueError, match=f"`{field}` must be"):
            dataclasses.replace(design, **{field: wrong})


ABOVE_ZERO, AT_LEAST_ZERO = (0.0, -1.0, np.nan, np.inf), (-1.0, np.nan, np.inf)
NUMBERS = [
    (ms.Reads(), "v_read", 0.3, (*ABOVE_ZERO, 200.0)),
    (ms.ADC(8), "full_scale", 5.0, ABOVE_ZERO),
    (ms.SAR(8), "full_scale", 5.0, ABOVE_ZERO),
    (ms.SAR(8), "mismatch", 0.1, (*AT_LEAST_ZERO, 5.0)),
    (ms.Ramp(8), "full_scale", 5.0, ABOVE_ZERO),
    (ms.Ramp(8), "mismatch", 0.1, AT_LEAST_ZERO),
    (ms.Ramp(8), "comparator_offset", 0.1, AT_LEAST_ZERO),
    (ms.DAC(8), "input_range", 2.0, ABOVE_ZERO),
    (ms.PulseWidthDAC(8), "input_range", 2.0, ABOVE_ZERO),
    (ms.BitSerialDAC(8), "input_range", 2.0, ABOVE_ZERO),
    (ms.ConverterErrors(), "gain", 0.1, (*AT_LEAST_ZERO, 5.0)),
    (ms.ConverterErrors(), "offset", 0.1, AT_LEAST_ZERO),
    (ms.ConverterErrors(), "inl", 0.1, AT_LEAST_ZERO),
    (ms.SenseAmplifier(), "series_resistance", 50.0, AT_LEAST_ZERO),
    (ms.SenseAmplifier(), "offset", 1e-3, (*AT_LEAST_ZERO, 5.0)),
    (ms.SenseAmplifier(), "saturation", 0.1, AT_LEAST_ZERO),
    (ms.SenseAmplifier(), "noise", 0.1, AT_LEAST_ZERO),
    (ms.ResistiveWires(1.0, 1.0), "word_line", 2.0, AT_LEAST_ZERO),
    (ms.ResistiveWires(1.0, 1.0), "sink", 2.0, AT_LEAST_ZERO),
    (ms.AlphaBetaWires(1.0, 1.0), "bit_line", 2.0, AT_LEAST_ZERO),
    (ms.AlphaBetaWires(1.0, 1.0), "source", 2.0, AT_LEAST_ZERO),
    (ms.GradientDescent(), "threshold", 0.1, (*ABOVE_ZERO, 1.0)),
    (ms.GradientDescent(), "correction", 0.1, (*AT_LEAST_ZERO, 50.0)),
    (ms.Percentile(), "coverage", 0.9, (*ABOVE_ZERO, 99.0)),
    (ms.LeastSquares(), "smallest", 0.1, (*ABOVE_ZERO, 1.0)),
]


@pytest.mark.parametrize("design, field, right, wrong", NUMBERS, ids=lambda v: v if isinstance(v, str) else "")
@pytest.mark.parametrize("kind", [float, np.float32, np.asarray, jnp.asarray], ids=numbered)
def test_a_number_is_refused_alike_however_it_is_written_and_traced_ones_pass(kind, design, field, right, wrong):
    for number in wrong:
        with pytest.raises(ValueError, match=f"`{field}` must be .* Got {field}="):
            dataclasses.replace(design, **{field: kind(number)})
    assert float(getattr(dataclasses.replace(design, **{field: kind(right)}), field)) == pytest.approx(right)
    jax.eval_shape(lambda number: dataclasses.replace(design, **{field: number}), wrong[0])


STATIC = [
    (ms.GlobalDriftCompensation(), "amplitude", (0.0, -1.0, np.nan, 30.0)),
    (ms.Correlated(dm.noise.Flicker(1.0, 1e4), 1e-3), "dt", (0.0, -1.0, np.nan, np.inf, 5.0)),
]
COUNTS = [
    (ms.ADC(8), "bits", 25),
    (ms.SAR(8), "bits", 17),
    (ms.Ramp(8), "bits", 13),
    (ms.DAC(8), "bits", 25),
    (ms.PulseWidthDAC(8), "bits", 25),
    (ms.BitSerialDAC(8), "bits", 25),
    (ms.BitSerialDAC(8), "bits_per_pulse", 0),
    (ms.SAR(8), "columns_per_adc", 0),
    (ms.Ramp(8), "columns_per_ramp", 0),
    (ms.BitSliced(ms.DifferentialPair(), 2, 4), "slices", 0),
    (ms.BitSliced(ms.DifferentialPair(), 2, 4), "bits_per_cell", 0),
    (ms.GlobalDriftCompensation(), "patterns", 0),
    (ms.GradientDescent(), "rounds", 0),
    (ms.GradientDescent(), "steps", 0),
    (ms.GradientDescent(), "batch", 0),
    (ms.LeastSquares(), "candidates", 1),
]


@pytest.mark.parametrize("design, field, wrong", STATIC, ids=lambda v: v if isinstance(v, str) else "")
def test_a_setting_that_is_compiled_in_is_refused_alike(design, field, wrong):
    for number in wrong:
        for kind in (float, np.float32, jnp.asarray):
            with pytest.raises(ValueError, match=f"`{field}` must be .* Got {field}="):
                dataclasses.replace(design, **{field: kind(number)})


@pytest.mark.parametrize("design, field, beyond", COUNTS, ids=lambda v: v if isinstance(v, str) else "")
def test_a_count_is_a_whole_number_within_its_limits(design, field, beyond):
    for wrong in (beyond, np.int32(beyond), -1, 2.5, np.float32(2.5), 4.0, np.nan, True):
        with pytest.raises(ValueError, match=f"`{field}` must be a whole number .* Got {field}="):
            dataclasses.replace(design, **{field: wrong})
    for right in (3, np.int64(3), jnp.asarray(3)):
        assert getattr(dataclasses.replace(design, **{field: right}), field) == 3


@pytest.mark.slow
def test_numbers_of_numpy_and_jax_give_the_design_that_floats_give():
    def read(kind):
        sense = ms.SenseAmplifier(kind(50.0), kind(1e-3), kind(0.1), kind(0.01))
        adc = ms.ADC(np.int64(8), kind(2.5), errors=ms.ConverterErrors(kind(0.125), kind(0.5), kind(0.25)))
        settings = {"adc": adc, "dac": ms.DAC(8, kind(1.5)), "reads": ms.Reads(sense=sense, v_read=kind(0.25))}
        design = ms.Crossbar(dm.pcm_joshi2020(), **settings)
        return np.asarray(design.deploy(W, 3600.0, key=KEY)(jnp.asarray(W), key=jr.key(1)))

    floats = read(float)
    for kind in (np.float32, np.asarray, jnp.asarray):
        np.testing.assert_allclose(read(kind), floats, rtol=1e-5)
    no_sense = ms.SenseAmplifier(np.float32(0.0), np.float32(0.0), np.float32(0.0), np.float32(0.0))
    design = dataclasses.replace(EXACT, reads=ms.Reads(sense=no_sense))
    np.testing.assert_allclose(design.deploy(W, 0.0, key=KEY).effective_weight, W, rtol=1e-6)


# What belongs together.


@pytest.mark.parametrize(
    "make, says",
    [
        (
            lambda: ms.Crossbar(dm.pcm_joshi2020),
            "`device` must be an AbstractDevice. Got device=the function pcm_joshi2020. Call it",
        ),
        (lambda: ms.Crossbar("pcm_joshi2020"), "Got device='pcm_joshi2020'. Write `dm.pcm_joshi2020()`."),
        (lambda: ms.Crossbar("pcm_joshi"), "Did you mean dm.pcm_joshi2020()"),
        (lambda: ms.Crossbar("ideal"), "Write `dm.Ideal()`."),
        (lambda: ms.Crossbar(dm.Ideal), "`device` must be an AbstractDevice. Got device=the class Ideal. Call it"),
        (lambda: ms.Crossbar(None), "`device` must be an AbstractDevice. Got device=None."),
        (lambda: ms.Crossbar(dm.Ideal(), adc=8), "`adc` must be an AbstractADC or None. Got adc=8. Write `ADC(8)`."),
        (lambda: ms.Crossbar(dm.Ideal(), adc=ms.DAC(8)), "`adc` must be an AbstractADC or None. Got adc=a DAC."),
        (lambda: ms.Crossbar(dm.Ideal(), adc=ms.ADC), "Got adc=the class ADC. Call it: `ADC(...)`."),
        (lambda: ms.Crossbar(dm.Ideal(), dac=8), "`dac` must be an AbstractDAC or None. Got dac=8. Write `DAC(8)`."),
        (lambda: ms.Crossbar(dm.Ideal(), tile=64), "Got tile=64. Write (64, 64)."),
        (lambda: ms.Crossbar(dm.Ideal(), tile=[64, 64]), "Got tile=[64, 64]. Write a tuple: (64, 64)."),
        (lambda: ms.Crossbar(dm.Ideal(), tile=(64, 2.5)), "`tile` must be (rows, columns), both at least 1."),
        (lambda: ms.Crossbar(dm.Ideal(), tile=(64,)), "`tile` must be (rows, columns), both at least 1."),
        (lambda: ms.Crossbar(dm.Ideal(), wires=2.0), "Got wires=2.0. Write `ResistiveWires(2.0, 2.0)`"),
        (lambda: ms.Crossbar(dm.Ideal(), wires=None), "Got wires=None. Write `IdealWires()`."),
        (lambda: ms.Crossbar(dm.Ideal(), reads=ms.Reads("per moment")), "Did you mean per_moment"),
        (
            lambda: ms.Crossbar(dm.Ideal(), reads=ms.Reads(None)),
            '`noise` must be "per_read", "per_moment", "off" or a',
        ),
        (
            lambda: ms.Crossbar(dm.Ideal(), compensation=True),
            "Got compensation=True. Write `GlobalDriftCompensation()`",
        ),
        (lambda: ms.Crossbar(dm.Ideal(), mapping="pair"), "Got mapping='pair'. Such as `DifferentialPair()`."),
        (lambda: ms.Crossbar(dm.Ideal(), programming=5), "Got programming=5. Such as `OneShot()`."),
        (lambda: ms.Crossbar(dm.Ideal(), reads=ms.Reads(sense=True)), "Got sense=True. Such as `SenseAmplifier("),
        (lambda: ms.Crossbar(dm.Ideal(), adc=ms.ADC(8, np.ones(2))), "or one for each slice of the mapping"),
        (lambda: ms.ADC(8, jnp.array([1.0, -2.0])), "Got full_scale=1 of 2 that are not, such as -2.0"),
        (lambda: ms.ADC(8, rounding="stochastically"), '`rounding` must be "nearest" or "stochastic"'),
        (
            lambda: ms.Crossbar(dm.Ideal(), reads=ms.Reads(sense=ms.SenseAmplifier(noise=jnp.asarray(0.1)))),
            "must be followed by an ADC. Got adc=None",
        ),
        (lambda: ms.Correlated(dm.noise.Flicker(jnp.asarray(1.0), 1e4), 1e-3), "`process` must have plain numbers"),
        (lambda: ms.Correlated("flicker", 1e-3), "`process` must be an AbstractNoise. Got process='flicker'. Such as"),
        (lambda: ms.recipes.rasch2023("pcm_hermes2"), "Got device='pcm_hermes2'. Write `dm.pcm_hermes2()`."),
        (lambda: ms.recipes.hermes(0), "`device` must be an AbstractDevice or None. Got device=0."),
        (
            lambda: ms.recipes.neurram(input_bits=4.5),
            "`input_bits` must be a whole number from 2 to 8. Got input_bits=4.5",
        ),
        (lambda: ms.recipes.neurram(output_bits=np.int64(9)), "`output_bits` must be a whole number from 2 to 8."),
        (lambda: ms.effects(dm.Ideal()), "`design` must be a Crossbar. Got design=an Ideal. Such as"),
        (lambda: ms.without(PCM, "ir drop"), "Did you mean IR drop"),
        (lambda: ms.without(PCM, None), "`effect` must be text. Got effect=None."),
    ],
)
def test_parts_that_do_not_fit_are_told_what_to_write(make, says):
    with pytest.raises(ValueError, match=re.escape(says)):
        make()


# The three stages.


@pytest.mark.parametrize("w", [W.tolist(), W, W.astype(np.float64), jnp.asarray(W)], ids=named)
def test_weights_and_inputs_are_taken_however_they_are_written(w):
    x = [[1.0, 0.0, -1.0], [0.5, 0.5, 0.5]]
    np.testing.assert_allclose(EXACT.program(w, key=KEY).at(0.0)(x), np.asarray(x) @ W.T, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(EXACT.deploy(w, 0, key=KEY)(np.array(x)), np.asarray(x) @ W.T, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", [bool, np.uint8, np.int32])
def test_whole_numbers_are_taken_as_floats(kind):
    w, x = np.array([[1, 0, 1], [0, 1, 1]], kind), np.array([[1, 1, 0], [0, 1, 1], [1, 1, 1]], kind)
    right = x.astype(float) @ w.T.astype(float)
    np.testing.assert_allclose(EXACT.deploy(w, 0.0, key=KEY)(x), right, rtol=1e-6)
    matrix = EXACT.deploy(w.tolist(), 0.0, key=KEY)
    np.testing.assert_allclose(jax.jit(lambda x: matrix(x))(jnp.asarray(x)), right, rtol=1e-6)


NOT_NUMBERS = ["1.0", None, {"a": 1.0}, [[1.0, 2.0], [3.0]], ["a", "b"], KEY, dm.Ideal(), 10**30]


@pytest.mark.parametrize("wrong", NOT_NUMBERS, ids=lambda value: str(value)[:20])
@pytest.mark.parametrize("name", ["w", "x", "g", "y"])
def test_what_is_no_array_of_numbers_is_refused(name, wrong):
    calls = {
        "w": lambda w: PCM.program(w, key=KEY),
        "x": lambda x: EXACT.deploy(W, 0.0, key=KEY)(x),
        "g": ms.ResistiveWires(1.0, 1.0).effective,
        "y": ms.encoding.to_complex,
    }
    with pytest.raises(ValueError, match=f"`{name}` must be an array of numbers"):
        calls[name](wrong)


READ = EXACT.deploy(W, 0.0, key=KEY)
ONES = jnp.ones(3)


@pytest.mark.parametrize(
    "call, says",
    [
        (lambda: PCM.program(np.full((2, 2), np.nan), key=KEY), "`w` must be finite. Got 4 NaN or infinite of 4"),
        (lambda: PCM.deploy([[1.0, 1e300]], 0.0, key=KEY), "`w` must be finite. Got 1 NaN or infinite of 2"),
        (lambda: PCM.program([1.0, 2.0], key=KEY), "`w` must be a matrix of shape (outputs, inputs)"),
        (lambda: PCM.program(W, key=0), "`key` must be a key of jax.random. Got key=0. Write `jax.random.key(0)`"),
        (lambda: PCM.program(W, key=None), "`key` must be a key of jax.random. Got key=None."),
        (lambda: PCM.program(W, key=jr.split(KEY, 2)), "`key` must be a key of jax.random."),
        (lambda: PCM.deploy(W, 0.0, key=jr.PRNGKey(0)), "`key` must be a key of jax.random."),
        (lambda: PCM.program(W, key=KEY).at(0.0, key=1), "`key` must be a key of jax.random. Got key=1."),
        (lambda: READ(ONES, key="0"), "`key` must be a key of jax.random. Got key='0'."),
        (lambda: READ(jnp.ones(4)), "The last axis of `x` must have 3 entries, one a word line. Got shape (4,)"),
        (lambda: READ(1.0), "The last axis of `x` must have 3 entries, one a word line. Got shape ()"),
        (lambda: READ(ONES.at[1].set(jnp.nan)), "`x` must be finite. Got 1 NaN or infinite of 3, the first at [1]"),
        (lambda: READ([1.0, np.inf, 0.0]), "`x` must be finite. Got 1"),
        (lambda: READ(np.ones(3) + 1j), "`x` must be real. Got complex64."),
        (lambda: READ.clipping("x"), "`x` must be an array of numbers"),
        (lambda: READ.currents([1.0]), "The last axis of `x` must have 3 entries"),
        (lambda: READ.partial_sums(ONES * jnp.nan), "`x` must be finite. Got 3"),
        (lambda: ms.encoding.real_block([1.0, 1j]), "`w` must be a matrix of shape (outputs, inputs)"),
        (lambda: ms.encoding.to_real([np.nan + 1j]), "`x` must be finite"),
        (lambda: ms.encoding.to_complex(1.0), "The last axis of `y` must hold as many real as imaginary parts"),
        (lambda: ms.Percentile().of_inputs(ONES * jnp.nan, 8), "`x` must be finite. Got 3"),
        (lambda: ms.Maximal().of_inputs(ONES / 0, 8), "`x` must be finite. Got 3"),
        (lambda: ms.LeastSquares().of_currents("ab", 8), "`x` must be an array of numbers"),
    ],
)
def test_what_a_stage_cannot_work_with_is_refused(call, says):
    with pytest.raises(ValueError, match=re.escape(says)):
        call()


TIMES = [-1.0, np.nan, np.inf, 1e38, 2e12, "1 h", None, True, [0.0, 1.0], (0.0,), np.zeros(1), 1j, 10**400, KEY]


@pytest.mark.parametrize("t", TIMES, ids=lambda t: str(t)[:20])
def test_a_time_is_one_number_of_seconds_until_which_cells_have_a_state(t):
    chip = PCM.program(W, key=KEY)
    for call in (lambda: chip.at(t, key=KEY), lambda: PCM.deploy(W, t, key=KEY)):
        with pytest.raises(ValueError, match="`t` must be one time of at least 0 seconds after the end of programming"):
            call()


@pytest.mark.slow
@pytest.mark.parametrize("name", DEVICES)
def test_up_to_the_longest_time_every_cell_has_a_state(name):
    device = DEVICES[name]
    cells = device.program(jnp.linspace(device.g_min, device.g_max, 9), key=KEY)
    t = jnp.asarray(1e12)
    for found in (device.conductance(cells, t), device.read_noise(cells, t)):
        assert found is None or np.isfinite(found).all()


def test_a_time_is_taken_however_it_is_written():
    chip = PCM.program(W, key=KEY)
    right = chip.at(3600.0, key=KEY).effective_weight
    for t in (3600, np.int64(3600), np.float32(3600.0), np.asarray(3600.0), jnp.asarray(3600)):
        np.testing.assert_array_equal(chip.at(t, key=KEY).effective_weight, right)


# Compiled code.


CONVERTERS = [
    {"adc": ms.ADC(8)},
    {"adc": ms.SAR(8), "dac": ms.PulseWidthDAC(8)},
    {"adc": ms.Ramp(8), "dac": ms.DAC(8)},
    {"adc": UnlimitedADC(adc=ms.ADC(8)), "dac": ms.BitSerialDAC(4)},
    {"dac": UnlimitedDAC(dac=ms.DAC(8))},
]


@pytest.mark.parametrize("converters", CONVERTERS, ids=str)
def test_a_nan_that_cannot_be_refused_stays_nan_and_spoils_its_own_row_only(converters):
    matrix = dataclasses.replace(EXACT, **converters).deploy(W, 0.0, key=KEY)
    y = np.asarray(jax.jit(lambda x: matrix(x))(jnp.ones((2, 3)).at[1, 0].set(jnp.nan)))
    assert np.isfinite(y[0]).all() and np.isnan(y[1]).all()


def test_checks_leave_no_operation_in_compiled_code():
    found = [equation.primitive.name for equation in jax.make_jaxpr(lambda x: READ(x))(jnp.ones((4, 3))).eqns]
    assert set(found) <= {"reshape", "dot_general"}


# Wires.


@pytest.mark.parametrize(
    "call, says",
    [
        (lambda w: w.effective(-PLANE), "`g` must be conductances of at least 0 siemens. Got 6 others of 6."),
        (lambda w: w.effective(PLANE.at[0, 0].set(jnp.inf)), "`g` must be finite. Got 1"),
        (lambda w: w.effective(PLANE[0]), "`g` must be a matrix of shape (rows, columns)"),
        (lambda w: w.solve(PLANE, jnp.ones(2)), "`v` must hold one voltage for each of 3 word lines. Got shape (2,)"),
        (lambda w: w.solve(PLANE, jnp.ones((4, 3))), "Several inputs? Use jax.vmap."),
        (lambda w: w.solve(PLANE, [0.1, np.nan, 0.1]), "`v` must be finite. Got 1"),
        (lambda w: w.solve(PLANE, "0.1 V"), "`v` must be an array of numbers"),
        (lambda w: w.currents(dm.Ideal, PLANE, ONES), "`device` must be an AbstractDevice. Got device=the class Ideal"),
        (lambda w: w.operating_point("ideal", PLANE, ONES), "`device` must be an AbstractDevice. Got device='ideal'"),
    ],
)
def test_what_wires_cannot_carry_is_refused(call, says):
    with pytest.raises(ValueError, match=re.escape(says)):
        call(ms.ResistiveWires(1.0, 1.0))


def test_wires_take_lists_of_conductances_and_whole_volts():
    """One cell of 1/2 S behind 1 ohm of either line, at 1 V: 1 / (1 + 1 + 2) A."""
    wires = ms.ResistiveWires(1.0, 1.0)
    np.testing.assert_allclose(wires.solve([[0.5]], [1]).currents, [0.25], rtol=1e-6)
    np.testing.assert_allclose(wires.effective([[0.5]]), [[0.25]], rtol=1e-6)
    np.testing.assert_allclose(ms.IdealWires().effective([[0.5]]), [[0.5]])
