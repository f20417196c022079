"""What devices and their parts refuse: numbers that cannot be, whatever they are written as, other units, orders."""

import math
import re
from dataclasses import replace

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from jaxtyping import Array, Float, Key

import device_models as dm

pytestmark = pytest.mark.usefixtures("unchecked")

KEY, STEPS, NAN = jr.key(0), dm.pulsed.Steps(0.01), float("nan")
KINDS = {"float": float, "numpy": np.float32, "0-d": np.asarray, "jax": jnp.asarray}
as_any_number = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


def changed(preset, **fields):
    """A published memristor, or pulsed device, with other numbers."""
    return replace(preset(), **fields)


def refused(says, make, *arguments, **more):
    with pytest.raises(ValueError, match=re.escape(says)):
        make(*arguments, **more)


# One number each, -1 or another that cannot be, in four ways of writing it: (field, value, what is made of it).
NUMBERS = [
    *(("read_noise_scale", -1.0, preset) for preset in (dm.pcm_joshi2020, dm.pcm_hermes1, dm.pcm_hermes2)),
    *(("write_noise_scale", -1.0, preset) for preset in (dm.rram_milo2021, dm.ecram_chen2023, dm.mtj_generic)),
    *(("drift_scale", NAN, preset) for preset in (dm.rram_wan2022, dm.sonos_xiao2022, dm.cmo_hfox_falcone2025)),
    ("acceptance", 0.2, dm.cmo_hfox_falcone2025),
    ("g_max", 25.0, dm.Ideal),
    ("g_max", NAN, dm.Ideal),
    ("lowest", -1.0, lambda lowest: dm.Gaussian(0.0, 25e-6, lowest=lowest)),
    ("t_read", NAN, lambda t_read: replace(dm.pcm_joshi2020(), t_read=t_read)),
    ("scale", -1.0, lambda scale: dm.curves.Saturating(1e-6, scale)),
    ("power", NAN, lambda power: dm.curves.InversePower(1.0, power, 2.0)),
    ("power", -1.0, lambda power: dm.curves.InversePower(1.0, power, 2.0)),
    ("value", NAN, dm.curves.Constant),
    ("at", 1.5, lambda at: dm.curves.Branches(at, dm.curves.Constant(0.0), dm.curves.Constant(1.0))),
    ("values", NAN, lambda values: dm.curves.Table((0.0, 1.0), (values, 1.0))),
    (
        "times",
        -1.0,
        lambda times: dm.ageing.Snapshots((times, 1.0), (dm.curves.Constant(0.0), dm.curves.Constant(1.0))),
    ),
    ("coefficients", NAN, lambda coefficients: dm.curves.Polynomial((1.0, coefficients))),
    ("kappa", -1.0, dm.iv.Sinh),
    ("n", 2.5, lambda n: dm.Levels(dm.Ideal(), n=n)),
    ("n", 2.5, lambda n: dm.Parallel(dm.Ideal(), n=n)),
    ("significance", 0.5, lambda significance: dm.CellPair(dm.Ideal(), dm.Ideal(), significance)),
    ("p_on", -1.0, lambda p_on: dm.StuckCells(dm.Ideal(), p_on)),
    ("window", NAN, lambda window: dm.WriteVerify(dm.pcm_joshi2020(), window, 5)),
    ("max_pulses", 2.5, lambda max_pulses: dm.WriteVerify(dm.pcm_joshi2020(), 1e-6, max_pulses)),
    ("exponent", -1.0, lambda exponent: dm.Retention(dm.Ideal(), 1.0, exponent)),
    ("f_low", -1.0, lambda f_low: dm.noise.Flicker(f_low, 1e3)),
    ("shares", -1.0, lambda shares: dm.noise.Mixture((dm.noise.White(), dm.noise.White()), (shares, 2.0))),
    ("std", -0.1, dm.pulsed.NormalSpread),
    ("std", -0.1, dm.pulsed.LogNormalSpread),
    ("std", NAN, dm.pulsed.AbsoluteNoise),
    ("added", -1.0, lambda added: dm.pulsed.ComplexNoise(0.1, added=added)),
    ("up_down", 1.5, lambda up_down: dm.pulsed.Steps(0.01, up_down=up_down)),
    ("dw_min", 0.0, dm.pulsed.Steps),
    ("w_max_dtod", -1.0, lambda w_max_dtod: dm.pulsed.Bounds(w_max_dtod=w_max_dtod)),
    ("lifetime", 0.5, dm.pulsed.Leak),
    ("probability", 13.0, dm.pulsed.Corrupt),
    ("up", -1.0, lambda up: dm.pulsed.PiecewiseStep(STEPS, dm.pulsed.Bounds(), (1.0, up), (1.0, 1.0))),
    ("noise", -1.0, lambda noise: dm.pulsed.neurosim(noise=noise)),
    ("alpha", NAN, lambda alpha: dm.pulsed.soft_bounds_pmax(alpha=alpha)),
    ("p", 0.5, dm.memristors.Joglekar),
    ("j", -1.0, lambda j: dm.memristors.Prodromakis(j=j)),
    ("tolerance", NAN, lambda tolerance: dm.memristors.FixedSteps(tolerance=tolerance)),
    ("eta", 0.5, lambda eta: changed(dm.memristors.yakopcic2011, eta=eta)),
    ("alpha_on", 0.5, lambda alpha_on: changed(dm.memristors.vteam_kvatinsky2015, alpha_on=alpha_on)),
    ("speed", -1.0, lambda speed: changed(dm.memristors.stanford_jiang2016, speed=speed)),
    ("x_0", 1.5, lambda x_0: changed(dm.memristors.mms_molter2016, x_0=x_0)),
]


@pytest.mark.filterwarnings("ignore:A JAX array is being set as static")
@as_any_number
@pytest.mark.parametrize("field, value, make", NUMBERS, ids=[f"{field}-{value}" for field, value, _ in NUMBERS])
def test_a_number_that_cannot_be_is_refused_whatever_it_is_written_as(field, value, make, kind):
    refused(f"`{field}` must", lambda: make(**{field: kind(value)}))


UNITS = [
    ("Degrees Celsius? Add 273.15.", lambda: dm.memristors.mms_molter2016(temperature=25.0)),
    ("Degrees Celsius? Add 273.15.", lambda: changed(dm.memristors.stanford_jiang2016, temperature=np.float32(85))),
    ("Degrees Celsius? Add 273.15.", lambda: changed(dm.memristors.jart_bengel2020, temperature=20)),
    (
        "Degrees Celsius? Add 273.15.",
        lambda: dm.retention_lammie2021(dm.Ideal(), (1e3, 0.05, 2.0, 0.1), temperature=85),
    ),
    ("Nanometres? Multiply by 1e-9.", lambda: changed(dm.memristors.hp_strukov2008, thickness=10.0)),
    ("Nanometres? Multiply by 1e-9.", lambda: changed(dm.memristors.stanford_jiang2016, hop=0.25)),
    ("Millivolts? Multiply by 1e-3.", lambda: changed(dm.memristors.yakopcic2011, v_p=650.0)),
    ("Millivolts? Multiply by 1e-3.", lambda: changed(dm.memristors.hp_strukov2008, v_threshold=550.0)),
    ("Kilo-ohms? Multiply by 1e3.", lambda: changed(dm.memristors.mms_molter2016, r_on=0.5, r_off=1.5)),
    ("Joules? Divide by 1.602e-19.", lambda: changed(dm.memristors.jart_bengel2020, barrier=2.2e-19)),
    ("Per cubic metre? Divide by 1e26.", lambda: changed(dm.memristors.jart_bengel2020, n_plug=2e27)),
    ("Nanoseconds? Multiply by 1e-9.", lambda: replace(dm.pcm_joshi2020(), t_read=250.0)),
    ("Micro-siemens? Multiply by 1e-6.", lambda: dm.Gaussian(0.0, 25e-6, lowest=2.0)),
    ("Micro-siemens? Multiply by 1e-6.", lambda: dm.Gaussian(0.0, 25e-6, write_noise=dm.curves.Constant(0.5))),
    (
        "Micro-siemens? Multiply by 1e-6.",
        lambda: dm.Gaussian(0.0, 25e-6, noise=dm.ageing.Steady(dm.curves.Polynomial((0.2, 1.9)))),
    ),
    ("Micro-siemens? Multiply by 1e-6.", lambda: dm.Gaussian(0.0, 25e-6, shift=dm.ageing.LogTime(0.1, -0.1))),
    (
        "Micro-siemens? Multiply by 1e-6.",
        lambda: replace(dm.pcm_joshi2020(), write_noise=dm.curves.Table((0, 1), (0.2, 1))),
    ),
    ("Divide by `g_max`", lambda: dm.curves.Table((0.0, 5.0), (1.0, 2.0))),
]


@pytest.mark.parametrize("says, make", UNITS)
def test_a_number_in_another_unit_is_refused_with_the_factor(says, make):
    refused(says, make)


ORDERS = [
    ("`g_min` and `g_max` must satisfy", lambda kind: dm.Ideal(kind(2e-5), kind(1e-5))),
    ("lowest <= g_min", lambda kind: dm.Gaussian(1e-6, 25e-6, lowest=kind(2e-6))),
    ("`t_read` must be at most `t_0`", lambda kind: replace(dm.pcm_joshi2020(), t_read=kind(30.0))),
    ("`low` must be at most `high`", lambda kind: dm.curves.ClippedLog(0.1, 0.1, kind(2.0), kind(1.0))),
    ("`at`", lambda kind: dm.curves.Table((kind(0.5), kind(0.1)), (1.0, 2.0))),
    (
        "`times` must be at least two and increasing",
        lambda kind: dm.ageing.Snapshots((kind(2.0), 1.0), (dm.curves.Constant(0.0),) * 2),
    ),
    ("`p_on` and `p_off` must be probabilities", lambda kind: dm.StuckCells(dm.Ideal(), kind(0.6), kind(0.6))),
    ("window < g_max - g_min", lambda kind: dm.WriteVerify(dm.Ideal(), kind(3e-5), 5)),
    ("f_low < f_high", lambda kind: dm.noise.Flicker(kind(10.0), kind(1.0))),
    ("tau_low < tau_high", lambda kind: dm.noise.Telegraph(kind(10.0), kind(1.0))),
    ("their sum 1", lambda kind: dm.noise.Mixture((dm.noise.White(), dm.noise.White()), (kind(0.5), 0.2))),
    ("`w_min` must be less than `w_max`", lambda kind: dm.pulsed.Bounds(kind(1.0), kind(-1.0))),
    ("`w_min` < 0 < `w_max`", lambda kind: dm.pulsed.SoftBounds(STEPS, dm.pulsed.Bounds(kind(0.5), 2.0))),
    ("`r_on` must be at most `r_off`", lambda kind: changed(dm.memristors.mms_molter2016, r_on=kind(1e4))),
    ("`gap_min` must be at most `gap_max`", lambda kind: changed(dm.memristors.stanford_jiang2016, gap_min=kind(2e-9))),
    ("a negative voltage switches on", lambda kind: changed(dm.memristors.vteam_kvatinsky2015, k_on=kind(10.0))),
    (
        "`speed_p` and `t_p` must have opposite signs",
        lambda kind: changed(dm.memristors.data_driven2021, t_p=kind(0.02)),
    ),
    ("`low` < `high`", lambda kind: dm.memristors.Walls(kind(1.0), kind(1.0))),
]


@as_any_number
@pytest.mark.parametrize("says, make", ORDERS)
def test_numbers_that_do_not_belong_together_are_refused_whatever_they_are_written_as(says, make, kind):
    refused(says, make, kind)


OTHER = [
    ("`n` must be a whole number of at least 2. Got n=2.0. Write 2.", lambda: dm.Levels(dm.Ideal(), n=2.0)),
    ("`device` must be an AbstractDevice. Got device=the function pcm_joshi2020. Call it: `pcm_joshi2020()`.",
     lambda: dm.StuckCells(dm.pcm_joshi2020, 0.1)),
    ("`device` must be an AbstractDevice. Got device=the class Ideal. Call it: `Ideal(...)`.",
     lambda: dm.Levels(dm.Ideal, 4)),
    ("`write_noise` must be an AbstractCurve or None. Got write_noise=1e-06.", lambda: dm.Gaussian(0.0, 25e-6, 1e-6)),
    ("""`scale` must be "time" or "log". Got scale='nonsense'.""",
     lambda: dm.ageing.Snapshots((0.0, 1.0), (dm.curves.Constant(0.0),) * 2, scale="nonsense")),
    ("Write a tuple: (1.0, 2.0).", lambda: dm.curves.Polynomial([1.0, 2.0])),
    ("`coefficients` must be at least 1 numbers", lambda: dm.curves.Polynomial(())),
    ("`coefficients` must be at least 2 numbers", lambda: dm.curves.Chebyshev((2.0,))),  # it would be read as 2 + 2 x
    ("`write_noise` must be at least 0 everywhere", lambda: dm.Gaussian(0.0, 25e-6, dm.curves.Constant(-1e-6))),
    ("`nu_std` must be at least 0 everywhere", lambda: replace(dm.pcm_joshi2020(), nu_std=dm.curves.Constant(-0.1))),
    ("`iv` must be an AbstractIV. Got iv='ohmic'.", lambda: dm.Ideal(iv="ohmic")),
    ("`window` must be an AbstractWindow", lambda: dm.memristors.hp_strukov2008(window=dm.memristors.Joglekar)),
    ("`volatile` must be True or False. Got volatile='no'.", lambda: dm.memristors.michigan_chang2011(volatile="no")),
    ("`corrupt` must be True or False. Got corrupt=0.1348.", lambda: dm.pulsed.reram_array_om_gong2022(corrupt=0.1348)),
    ("`solver` must be", lambda: dm.memristors.AdaptiveSteps(solver="Kvaerno5")),
    ("`c` must be a tuple", lambda: changed(dm.memristors.jart_bengel2020, c=(1.0, 2.0))),
    ("`nu_mean` and `nu_std`", lambda: dm.pcm_with_drift([0.0, 5e-6], [0.1], [0.0, 0.0])),
    ("`nu_std` must be finite and at least 0", lambda: dm.pcm_with_drift([0.0, 5e-6], [0.1, 0.1], [0.0, -0.1])),
    ("`p` must give", lambda: dm.retention_lammie2021(dm.Ideal(), (1.0, 100.0, 1.0, 1.0))),
    ("`name` must be text. Got name=None.", lambda: dm.device(None)),
    ("`name` must be text. Got name=the function", lambda: dm.memristors.memristor(dm.memristors.mms_molter2016)),
    ("`effect` must be text", lambda: dm.Ideal().without(None)),
    ("Got model=the class PCM. Call it", lambda: dm.citation(dm.PCM)),
    ("Got model='pcm_joshi2020'", lambda: dm.citation("pcm_joshi2020")),
    ("`unit` must be text", lambda: dm.Sourced(1.0, 1.0, "here")),
    ("`table` must be a dictionary", lambda: dm.describe(dm.Sourced(1.0, "S", "here"))),
]  # fmt: skip


@pytest.mark.parametrize("says, make", OTHER)
def test_what_is_no_such_thing_is_refused_by_name_and_with_what_to_write(says, make):
    refused(says, make)


# What passes.


def test_what_is_right_passes_however_it_is_written():
    for kind in KINDS.values():
        assert float(dm.pcm_joshi2020(nu_scale=kind(0.5)).nu_scale) == 0.5
        narrow = dm.cmo_hfox_falcone2025(acceptance=kind(0.002)).write_noise
        assert narrow == dm.cmo_hfox_falcone2025().write_noise != dm.cmo_hfox_falcone2025(acceptance=0.02).write_noise
        dm.memristors.LinearIonDrift(kind(1e3), kind(1e3), 1e-8, 1e-14)  # an ohmic resistor
        dm.Gaussian(9e-6, 88.2e-6, lowest=kind(9e-6), highest=kind(88.2e-6))  # the same in 32 bits
    conductances = np.asarray([0.0, 25e-6], np.float32)  # the last one above the range by rounding
    assert dm.pcm_with_drift(conductances, np.ones(2), np.zeros(2)).nu_mean(jnp.ones(())) == 1.0
    dm.curves.ClippedLog(0.1, 0.0, -math.inf, math.inf)
    dm.memristors.FixedSteps(tolerance=math.inf)


def test_traced_numbers_pass_and_known_ones_are_judged_while_others_are_traced():
    made = jax.jit(lambda x: dm.PCM.conductance(dm.pcm_joshi2020(nu_scale=x), CELLS, 10.0))
    assert np.isfinite(made(1.0)).all()

    def with_known(x):
        memristor = changed(dm.memristors.mms_molter2016, x_0=jnp.asarray(0.5), r_on=jnp.asarray(500.0), v_on=x)
        return memristor.current(jnp.asarray(0.5), x)

    assert float(jax.jit(with_known)(0.2)) == pytest.approx(0.2 * (0.5 / 500 + 0.5 / 1500), rel=1e-5)
    refused(
        "`x_0` must lie within",
        jax.jit(lambda x: changed(dm.memristors.mms_molter2016, x_0=ONE_AND_A_HALF, v_on=x).v_on),
        0.2,
    )


ONE_AND_A_HALF = jnp.asarray(1.5)
CELLS = dm.pcm_joshi2020().program(jnp.full(3, 10e-6), key=KEY)


class Mine(dm.AbstractDevice):
    """A user's own device, without a check of its own."""

    g_min: float
    g_max: float
    gain: float | Float[Array, ""] = 1.0
    iv: dm.iv.AbstractIV = dm.iv.Ohmic()
    sources: tuple[str, ...] = eqx.field(static=True, default=())
    effects = ()

    def program(self, target: Float[Array, "*cells"], *, key: Key[Array, ""]):
        return target

    def conductance(self, cells, t):
        return cells

    def read_noise(self, cells, t):
        return None

    def without(self, effect):
        return self


def test_a_device_that_a_user_writes_is_held_to_its_annotations_and_to_a_range():
    Mine(0.0, 25e-6)
    refused("`gain` must be a finite number. Got gain=nan.", Mine, 0.0, 25e-6, np.float32("nan"))
    refused("`g_max` must be from 0 to 0.1, in siemens", Mine, 0.0, 25.0)
    refused("`g_min` and `g_max` must satisfy", Mine, jnp.asarray(2e-6), jnp.asarray(1e-6))
