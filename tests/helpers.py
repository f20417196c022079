"""Tables of models: each one listed here passes the promises that its kind shares. And what the papers say of them."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from device_models import Ideal, Levels, StuckCells, pcm_hermes1, pcm_hermes2, pcm_joshi2020

DEVICES = {
    "ideal": Ideal(),
    "pcm_joshi2020": pcm_joshi2020(),
    "pcm_hermes1": pcm_hermes1(),
    "pcm_hermes2": pcm_hermes2(),
    "stuck_cells": StuckCells(pcm_joshi2020(), p_on=0.01, p_off=0.02),
    "levels": Levels(pcm_joshi2020(), n=16),
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
