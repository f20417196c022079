"""What programming, ageing, simulating, pulsing and fitting refuse before they begin."""

import math
import re

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import device_models as dm

pytestmark = pytest.mark.usefixtures("unchecked")

KEY, NAN = jr.key(0), float("nan")


def refused(says, make, *arguments, **more):
    with pytest.raises(ValueError, match=re.escape(says)):
        make(*arguments, **more)


# Programming and ageing.


@pytest.mark.parametrize(
    "target, says",
    [
        (jnp.array([1e-6, NAN]), "Got target=1 of 2 that are not, such as nan."),
        (jnp.array([1e-6, -1e-6]), "`target` must be within the range of the device, 0 to 2.5e-05, in siemens."),
        (jnp.full(3, 30e-6), "`target` must be within the range of the device"),
        (jnp.full(3, 5.0), "Micro-siemens? Multiply by 1e-6."),
        ([[1e-6]], "Write `jnp.asarray(...)` around it."),
        ("all on", "`target` must be"),
        (None, "`target` must be"),
    ],
)
@pytest.mark.parametrize("wrap", [lambda cell: cell, lambda cell: dm.WriteVerify(cell, 1e-6, 3)])
def test_a_target_that_no_cell_can_have_is_refused(target, says, wrap):
    refused(says, wrap(dm.pcm_joshi2020()).program, target, key=KEY)


def test_a_target_at_the_ends_of_the_range_may_be_rounded_and_a_traced_one_is_left_alone():
    for device in (dm.rram_wan2022(), dm.Levels(dm.fefet_jerry2017(), 2), dm.Parallel(dm.rram_wan2022(), 3)):
        for dtype in (jnp.float32, jnp.bfloat16):
            device.program(jnp.asarray([device.g_min, device.g_max], dtype), key=KEY)
    assert np.isnan(jax.jit(lambda g: dm.Ideal().program(g, key=KEY))(jnp.full(2, NAN))).all()


@pytest.mark.parametrize("t", ["1 h", None, -1.0, 1e38, NAN, math.inf, jnp.ones(3), [1.0], jnp.asarray(-1.0)])
def test_a_time_that_cannot_be_is_refused(t):
    for device in (dm.pcm_joshi2020(), dm.Ideal(), dm.StuckCells(dm.rram_wan2022(), 0.1)):
        cells = device.program(jnp.full(3, 10e-6), key=KEY)
        refused("`t` must be from 0 to 1e+12, in seconds since the end of programming. Got t=",
                device.conductance, cells, t)  # fmt: skip
        refused("`t` must be", device.read_noise, cells, t)


def test_a_time_may_be_a_number_of_any_kind():
    device = dm.pcm_joshi2020()
    cells = device.program(jnp.full(3, 10e-6), key=KEY)
    expected = device.conductance(cells, jnp.asarray(3600.0))
    for t in (3600, 3600.0, np.float32(3600), jnp.asarray(3600), np.asarray(3600.0)):
        np.testing.assert_allclose(device.conductance(cells, t), expected, rtol=1e-6)


def test_cells_of_another_device_and_a_number_for_a_key_are_refused():
    cells = dm.rram_wan2022().program(jnp.full(3, 10e-6), key=KEY)
    refused("`cells` must be a PCMCells. Got cells=a GaussianCells.", dm.pcm_joshi2020().conductance, cells, 1.0)
    refused("`key` must be a key of jax.random", dm.Ideal().program, jnp.full(3, 1e-6), key=0)


# Simulation.

T, V = jnp.linspace(0.0, 1e-3, 11), jnp.linspace(0.0, 0.5, 11)


@pytest.mark.parametrize(
    "change, says",
    [
        ({"time": [0.0, 1.0]}, "`time` must be an array"),
        ({"time": T[::-1]}, "`time` must increase"),
        ({"time": T.at[3].set(NAN)}, "`time` must be"),
        ({"voltage": "sine"}, "`voltage` must be"),
        ({"voltage": V.at[3].set(NAN)}, "`voltage` must be finite and within 50.0 V. Got voltage=1 of 11"),
        ({"voltage": 1e3 * V}, "Millivolts? Multiply by 1e-3."),
        ({"voltage": V[:5]}, "of the same length"),
        ({"state": jnp.asarray(1.5)}, "`state` must lie within 0.0 and 1.0"),
        ({"state": NAN}, "`state` must be a finite number"),
        ({"steps": 3}, "`steps` must be an AbstractSteps. Got steps=3."),
        ({"memristor": dm.memristors.mms_molter2016}, "Call it: `mms_molter2016()`."),
        ({"memristor": dm.pcm_joshi2020()}, "`memristor` must be an AbstractMemristor. Got memristor=a PCM."),
    ],
)
def test_a_waveform_that_cannot_be_is_refused_before_it_is_simulated(change, says):
    refused(
        says, dm.memristors.simulate, **{"memristor": dm.memristors.mms_molter2016(), "time": T, "voltage": V} | change
    )


# Pulsed arrays.


def array():
    return dm.pulsed.PulsedArray.fabricate(dm.pulsed.gokmen2016(), (2, 3), key=KEY)


@pytest.mark.parametrize(
    "call, says",
    [
        (lambda a: dm.pulsed.PulsedArray.fabricate(dm.pulsed.gokmen2016(), (2.5,), key=KEY), "`weights` must be"),
        (lambda a: dm.pulsed.PulsedArray.fabricate(dm.pulsed.gokmen2016, (2, 3), key=KEY), "Call it: `gokmen2016()`."),
        (
            lambda a: dm.pulsed.PulsedArray.fabricate(dm.pulsed.gokmen2016(), jnp.full(2, NAN), key=KEY),
            "`weights` must be",
        ),
        (lambda a: dm.pulsed.gokmen2016().fabricate((-1,), key=KEY), "`shape` must be"),
        (lambda a: a.pulse(jnp.ones((2, 3)), key=KEY), "`counts` must be an array of finite integers"),
        (lambda a: a.burst(jnp.full((2, 3), 40), most=31, key=KEY), "`counts` must be within -`most` and `most`"),
        (lambda a: a.burst(jnp.ones((2, 3), int), most=2.5, key=KEY), "`most` must be a whole number"),
        (lambda a: a.staircase(jnp.array([1, 0, -1]), key=KEY), "`directions` must be +1 or -1 each"),
        (lambda a: a.update(jnp.ones(3), jnp.ones(2), jnp.asarray(-0.1), key=KEY), "Put the sign into `d`."),
        (lambda a: a.update(jnp.ones(3), jnp.array([NAN, 1]), 0.1, key=KEY), "`d` must be"),
        (lambda a: a.update(jnp.ones(3), jnp.ones(2), 0.1, length=2.5, key=KEY), "`length` must be a whole number"),
        (lambda a: a.update(jnp.ones(3), jnp.ones(2), 0.1, scaling="equal", key=KEY), "`scaling` must be"),
        (lambda a: a.decay(-1.0), "`batches` must be"),
        (lambda a: a.reset(jnp.ones((2, 3)), key=KEY), "`where` must be"),
        (lambda a: dm.pulsed.coincidences(jnp.ones(3), jnp.ones(2), np.float32(-1), key=KEY), "`strength` must be"),
        (lambda a: dm.pulsed.OneSidedPair(a, a).refresh(np.float32(0.2), 0.8, key=KEY), "0 <= below < above <= 1"),
        (lambda a: dm.pulsed.OneSidedPair(a, a).refresh(pulses=2.5, key=KEY), "`pulses` must be a whole number"),
        (lambda a: dm.noise.White().initial((2.5,), key=KEY), "`shape` must be"),
        (lambda a: dm.noise.Flicker(1.0, 1e3).advance(jnp.ones((7, 2)), -1.0, key=KEY), "`dt` must be"),
    ],
)
def test_an_array_refuses_what_it_cannot_be_sent(call, says):
    refused(says, call, array())


# Fits.

LEVELS = np.linspace(1e-6, 20e-6, 40)
AGED = LEVELS[:, None] * np.array([1.0, 0.99, 0.97, 0.96])
TIMES = np.array([0.0, 10.0, 100.0, 1000.0])
READS = LEVELS[:, None] * (1 + 0.01 * np.random.default_rng(0).normal(size=(40, 40)))
SINE = np.sin(np.linspace(0.0, 6.0, 30))
RISE = np.concatenate([np.linspace(0, 0.5, 11), np.linspace(0.45, 0, 10)])[None]
WAYS = np.sign(np.diff(RISE[0]))


@pytest.mark.parametrize(
    "fit, right, change, says",
    [
        (dm.fit.fit_drift, {"times": TIMES, "conductances": AGED, "t_0": 1.0}, change, says)
        for change, says in (
            ({"t_0": np.float32(-1)}, "`t_0` must be positive"),
            ({"t_0": "1 s"}, "`t_0` must be positive"),
            ({"times": TIMES - 5}, "`times` must be at least 0"),
            ({"times": ["a"] * 4}, "`times` must be an array of real numbers. Got ['a', 'a', 'a', 'a']."),
            ({"times": None}, "`times` must be an array of real numbers"),
            ({"conductances": AGED + 0j}, "`conductances` must be an array of real numbers"),
            ({"conductances": [[1e-6], [1e-6, 2e-6]]}, "`conductances` must be an array of real numbers"),
            ({"targets": LEVELS[:5]}, "`targets` must be one for each cell"),
            ({"degree": 1.5}, "`degree` must be a whole number of at least 0"),
            ({"spread_degree": -1}, "`spread_degree` must be a whole number"),
            ({"g_max": 25.0}, "`g_max` must be from 0 to 0.1, in siemens"),
            ({"g_min": 25e-6, "g_max": 20e-6}, "`g_min` and `g_max` must satisfy g_min < g_max"),
        )
    ]
    + [
        (dm.fit.fit_programming, {"targets": LEVELS, "measured": LEVELS}, {"targets": LEVELS[:7]}, "Transpose?"),
        (dm.fit.fit_programming, {"targets": LEVELS, "measured": LEVELS}, {"offset_degree": 0.5}, "`offset_degree`"),
        (dm.fit.fit_read_noise, {"reads": READS, "t_0": 1.0, "t_read": 1e-6}, {"t_read": 2.0}, "at most `t_0`"),
        (dm.fit.fit_read_noise, {"reads": READS, "t_0": 1.0, "t_read": 1e-6}, {"age": -1.0}, "`age` must be"),
        (dm.fit.fit_read_noise, {"reads": READS, "t_0": 1.0, "t_read": 1e-6}, {"interval": NAN}, "`interval` must be"),
        (dm.fit.fit_pulse_response, {"directions": WAYS, "weights": RISE}, {"bounds": (1.0, -1.0)}, "`bounds`"),
        (dm.fit.fit_pulse_response, {"directions": WAYS, "weights": RISE}, {"bounds": (-1.0, NAN)}, "`bounds`"),
        (dm.fit.fit_pulse_response, {"directions": WAYS, "weights": RISE}, {"rule": None}, "`rule` must be text"),
        (dm.fit.fit_pulse_response, {"directions": WAYS, "weights": RISE}, {"directions": 1.0}, "`directions` must"),
        (dm.fit.fit_pulse_response, {"directions": WAYS, "weights": RISE}, {"directions": "up"}, "`directions` must"),
    ]
    + [
        (
            dm.fit.fit_memristor,
            {"model": dm.memristors.mms_molter2016(), "time": np.arange(30.0), "voltage": SINE, "current": SINE}
            | {"parameters": ("r_on",)},
            change,
            says,
        )
        for change, says in (
            ({"model": dm.memristors.mms_molter2016}, "Call it: `mms_molter2016()`."),
            ({"parameters": "r_on"}, "Write a tuple of names"),
            ({"parameters": ()}, "`parameters` must be one or more different names"),
            ({"parameters": ("r_on", "r_on")}, "`parameters` must be one or more different names"),
            ({"bounds": {"r_off": (1.0, 2.0)}}, "`bounds` must be of some of `parameters`"),
            ({"bounds": {"r_on": 5.0}}, "`bounds` must be"),
            ({"starts": 0}, "`starts` must be a whole number of at least 1"),
            ({"key": 3, "starts": 2}, "`key` must be a key of jax.random"),
            ({"steps": 5}, "`steps` must be an AbstractSteps"),
            ({"error": np.ones(7)}, "`error` must be of the shape of `current`"),
        )
    ],
)
def test_a_fit_refuses_what_is_not_data_before_it_begins(fit, right, change, says):
    refused(says, fit, **right | change)


def test_only_fits_are_combined():
    refused("`fits` must be one or more fits of a `PCM`. Got ['PCM'].", dm.fit.combine, dm.pcm_joshi2020())
