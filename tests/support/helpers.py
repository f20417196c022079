"""Tables of models: each one listed here passes the promises that its kind shares. And what the papers say of them."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import expit

import device_models as dm
from memsim import nn


def slow(*values):
    """A case of a family that only `make test-slow` runs: its code is run by another case, too."""
    return pytest.param(*values, marks=pytest.mark.slow)


def quick_and_slow(quick, all):
    """The names of a family: `make test` runs those of `quick`, each a path of its own, `make test-slow` the others."""
    if missing := [name for name in quick if name not in all]:
        raise ValueError(f"The quick cases must be of the family. Got {missing}. Take of {list(all)}.")
    return [name if name in quick else slow(name) for name in all]


RELAXATION = Path(__file__).parents[1] / "data" / "relaxation"


def measured_cells(**settings):
    """Eight cells of each of 32 levels of technology C; see `data/relaxation/NOTICE`."""
    rows = np.loadtxt(RELAXATION / "sample.csv", delimiter=",", skiprows=3)
    targets = (rows[:, 0] + 0.5) * 40e-6 / 32
    return dm.Empirical(
        (0.0, 0.01, 0.1, 1.0, 4.0, 1e5),
        jnp.asarray(targets, jnp.float32),
        jnp.asarray(1e-6 * rows[:, 1:], jnp.float32),
        g_min=0.625e-6,
        g_max=39.375e-6,
        neighbours=8,
        sources=("reads (Levy2024, public raw data; relaxdata of technology C)",),
        **settings,
    )


DEVICES = {
    **{name: entry.make() for name, entry in dm.DEVICES.items()},
    "cmo_hfox_wide": dm.cmo_hfox_falcone2025(acceptance=0.02),
    "gaussian_independent": dm.Gaussian(0.0, 25e-6, write_noise=dm.curves.Constant(5e-7)),
    "gaussian_proportional": dm.Gaussian(1e-6, 25e-6, write_noise=dm.curves.Proportional(1e-6)),
    "gaussian_inverse": dm.Gaussian(1e-6, 25e-6, write_noise=dm.curves.InverseProportional(2e-8)),
    "pcm_table": dm.pcm_with_drift([0.0, 5e-6, 25e-6], [0.03, 0.02, 0.01], [0.01, 0.01, 0.002]),
    "stuck_cells": dm.StuckCells(dm.pcm_joshi2020(), p_on=0.01, p_off=0.02),
    "levels": dm.Levels(dm.pcm_joshi2020(), n=16),
    "write_verify": dm.WriteVerify(dm.pcm_joshi2020(), window=1e-6, max_pulses=5),
    "parallel": dm.Parallel(dm.pcm_joshi2020(), n=3),
    "within": dm.Within(dm.pcm_joshi2020(), high=12e-6),
    "cell_pair": dm.CellPair(dm.pcm_joshi2020(), dm.rram_wan2022(), significance=4.0),
    "retention": dm.Retention(dm.rram_wan2022(), onset=86400.0, exponent=0.1),
    "empirical": measured_cells(),
    "ideal_sinh": dm.Ideal(iv=dm.iv.Sinh(2.5)),
    "ideal_milo": dm.Ideal(g_min=50e-6, g_max=225e-6, iv=dm.iv.MiloPolynomial()),  # the range of Milo et al. 2021
    "pcm_cubic": replace(dm.pcm_joshi2020(), iv=dm.iv.Cubic(1.0)),
}

# One of each class and wrapper, and of the curves that have code of their own.
QUICK_DEVICES = (
    *("ideal", "pcm_joshi2020", "rram_milo2021", "cmo_hfox_falcone2025", "sonos_agrawal2022", "fefet_jerry2017"),
    *("pcm_table", "stuck_cells", "write_verify", "parallel", "cell_pair", "retention", "empirical", "ideal_milo"),
)
EVERY_DEVICE = quick_and_slow(QUICK_DEVICES, DEVICES)


class Neuron(NamedTuple):
    """A neuron of `size` by `make(size, **settings)`, and the inputs under which it fires now and then."""

    make: Callable
    settings: dict
    mean: float = 0.2
    std: float = 0.5
    idle: tuple[str, ...] = ("v_reset",)  # parameters without effect under these settings

    def __call__(self, size, **more):
        return self.make(size, **{**self.settings, **more})

    def currents(self, steps, *shape, seed=0):
        return np.random.default_rng(seed).normal(self.mean, self.std, (steps, *shape))


ZERO, FREE = nn.Firing(reset="zero"), nn.Firing(reset="none")
LATE = nn.Firing(reset="subtract", delay=1, emit="old", surrogate=nn.Gaussian())
NEURONS = {
    "LIF": Neuron(nn.LIF, {}),
    "LIF_zero": Neuron(nn.LIF, {"firing": ZERO, "decay": "euler", "gain": "euler"}, 1.0, 2.0, ()),
    "LIF_late": Neuron(nn.LIF, {"firing": LATE, "gain": "leak"}, 1.0, 2.0),
    "LIF_several": Neuron(nn.LIF, {"firing": nn.Firing(max_spikes=5)}, 1.0, 2.0),
    "LIF_refractory": Neuron(nn.LIF, {"firing": nn.Firing(reset="zero", refractory=2e-3)}, idle=()),
    "LIF_free": Neuron(nn.LIF, {"firing": FREE}),
    "IF": Neuron(nn.IF, {}),
    "IF_free": Neuron(nn.IF, {"firing": FREE, "gain": "dt"}, 100.0, 500.0),
    "CuBaLIF": Neuron(nn.CuBaLIF, {}, 0.1, 0.2),
    "CuBaLIF_delay": Neuron(nn.CuBaLIF, {"synaptic_delay": 1, "firing": ZERO}, 0.1, 0.2, ()),
    "CuBaLIF_free": Neuron(nn.CuBaLIF, {"firing": FREE, "gain_syn": "leak"}),
    "ALIF": Neuron(nn.ALIF, {"kappa": 0.3}),
    "ALIF_refractory": Neuron(nn.ALIF, {"gain_adapt": "leak", "firing": nn.Firing(refractory=3e-3)}),
    "AdEx": Neuron(nn.AdEx, {}, 1.2, 3.0, ()),
    "Izhikevich": Neuron(nn.Izhikevich, {}, 10.0, 10.0, ()),
    "Izhikevich_old": Neuron(nn.Izhikevich, {"recovery": "old", "substeps": 1, "dt": 0.5e-3}, 10.0, 10.0, ()),
    "ResonateAndFire": Neuron(nn.ResonateAndFire, {}),
    "ResonateAndFire_zero": Neuron(nn.ResonateAndFire, {"firing": ZERO}, idle=()),
    "ResonateAndFire_free": Neuron(nn.ResonateAndFire, {"firing": FREE}),
    "LI": Neuron(nn.LI, {}),
    "Integrator": Neuron(nn.Integrator, {}),
    "CuBaLI": Neuron(nn.CuBaLI, {"gain": "leak", "gain_syn": "leak"}),
    "CuBaLI_delay": Neuron(nn.CuBaLI, {"synaptic_delay": 1}),
}

# One of each class, and of each way to fire and to reset.
QUICK_NEURONS = (
    *(
        "LIF_zero",
        "LIF_late",
        "LIF_several",
        "LIF_refractory",
        "IF_free",
        "CuBaLIF_delay",
        "ALIF",
        "AdEx",
        "Izhikevich",
    ),
    *("ResonateAndFire", "LI", "Integrator", "CuBaLI"),
)
EVERY_NEURON = quick_and_slow(QUICK_NEURONS, NEURONS)


class Surrogate(NamedTuple):
    """A surrogate, and its slope at x for the parameter k, retyped from its paper."""

    make: Callable
    slope: Callable
    source: str


def normal(x, mean, std):
    return np.exp(-(((x - mean) / std) ** 2) / 2) / (std * np.sqrt(2 * np.pi))


def multi_gaussian(x, k, h=0.15, w=6.0):
    s = 1 / (k * np.sqrt(2))
    return (1 + h) * normal(x, 0, s) - h * normal(x, s, w * s) - h * normal(x, -s, w * s)


SURROGATES = {
    "SuperSpike": Surrogate(nn.SuperSpike, lambda x, k: 1 / (1 + k * np.abs(x)) ** 2, "Zenke & Ganguli 2018"),
    "Arctan": Surrogate(nn.Arctan, lambda x, k: k / 2 / (1 + (np.pi / 2 * k * x) ** 2), "Fang et al. 2021"),
    "Sigmoid": Surrogate(nn.Sigmoid, lambda x, k: k * expit(k * x) * expit(-k * x), "logistic function"),
    "Triangle": Surrogate(nn.Triangle, lambda x, k: np.maximum(0, 1 - k * np.abs(x)), "Esser et al. 2016"),
    "Boxcar": Surrogate(nn.Boxcar, lambda x, k: np.where(np.abs(x) <= 1 / (2 * k), k, 0.0), "a box of area 1"),
    "StraightThrough": Surrogate(nn.StraightThrough, lambda x, k: np.full_like(x, k), "identity"),
    "Gaussian": Surrogate(nn.Gaussian, lambda x, k: k / np.sqrt(np.pi) * np.exp(-((k * x) ** 2)), "error function"),
    "MultiGaussian": Surrogate(nn.MultiGaussian, multi_gaussian, "Yin et al. 2021"),
    "Slayer": Surrogate(nn.Slayer, lambda x, k: k * np.exp(-k * np.abs(x)), "Shrestha & Orchard 2018"),
}


class Paper(NamedTuple):
    """A published set retyped, so that no number comes from the package: functions of g = G / g_max.

    `g_max` and `write_std` are in microsiemens, as printed; times in seconds.
    """

    g_max: float
    t_0: float
    t_read: float
    write_std: Callable
    nu_mean: Callable
    nu_std: Callable
    q_s: Callable


def clipped_log(a, b, low, high):
    return lambda g: np.clip(a * np.log(np.maximum(g, 1e-7)) + b, low, high)


def polynomial(*ascending):
    return lambda g: sum(c * g**i for i, c in enumerate(ascending))


def branches(at, below, above):
    return lambda g: np.where(g < at, below(g), above(g))


# Le Gallo 2023 gives one drift mean for one and for two devices a weight.
HERMES_NU_MEAN = branches(0.0945, clipped_log(-0.0387, -0.0182, 0.0720, 0.13), polynomial(0.0736, -0.0126, -0.0436))

PAPERS = {
    "pcm_joshi2020": Paper(  # Nandakumar et al., ICECS 2019; Joshi et al., Nat. Commun. 11, 2473 (2020)
        g_max=25.0,
        t_0=20.0,
        t_read=250e-9,
        write_std=polynomial(0.26348, 1.9650, -1.1731),
        nu_mean=clipped_log(-0.0155, 0.0244, 0.049, 0.1),
        nu_std=clipped_log(-0.0125, -0.0059, 0.008, 0.045),
        q_s=lambda g: np.minimum(0.0088 / np.maximum(g**0.65, 1e-3), 0.2),
    ),
    "pcm_hermes1": Paper(  # Le Gallo et al., Nat. Electron. 2023, one device a weight
        g_max=10.35,
        t_0=200.0,
        t_read=512e-9,
        write_std=polynomial(0.15781817, 2.32443916, -2.16310839, 0.68841818),
        nu_mean=HERMES_NU_MEAN,
        nu_std=branches(0.3039, clipped_log(-0.0120, -0.0023, 0.0124, 0.04), polynomial(0.0104, 0.0116, -0.0165)),
        q_s=branches(0.1591, clipped_log(-0.0078, 0.0038, 0.0179, 0.04), polynomial(0.0088, 0.0768, -0.1352, 0.0664)),
    ),
    "pcm_hermes2": Paper(  # Le Gallo et al., Nat. Electron. 2023, two devices a weight
        g_max=20.7,
        t_0=300.0,
        t_read=512e-9,
        write_std=polynomial(0.16603222, 4.71806468, -8.48101252, 4.68961419),
        nu_mean=HERMES_NU_MEAN,
        nu_std=branches(0.3055, clipped_log(-0.0117, -0.0057, 0.0091, 0.04), polynomial(0.0073, 0.0093, -0.0118)),
        q_s=branches(0.16, clipped_log(-0.0117, -0.0069, 0.015, 0.04), polynomial(0.0123, 0.0211, -0.0280, 0.0069)),
    ),
}
