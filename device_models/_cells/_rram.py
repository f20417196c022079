"""Filamentary memory with published numbers: HfOx of two groups, and a bilayer of conductive oxide and HfOx."""

import math

import numpy as np

from .._checks import checked, that
from .._checks._quantities import Number
from .._sourced import Sourced, describe
from .._span import JUST_WRITTEN, Span
from ..ageing._histories import FromWrite, LogGrowth, LogTime, Snapshots, Steady
from ..ageing._paths import Walk
from ..curves._curves import ClippedLog, Constant, Polynomial
from ..iv._iv import MiloPolynomial
from ._gaussian import Gaussian

LN_10 = math.log(10)
WAN = "Wan2022, 10.1038/s41586-022-04992-8, as fitted in aihwkit"
MILO = "Milo2021, Fig. 4, as fitted in CrossSim"
FALCONE = "Falcone2025, arXiv:2502.04524, as coded in aihwkit"
LEVY = "Levy2024, public raw data"
LOMBARDO = "Lombardo2024, as coded in aihwkit"

RRAM_WAN_2022 = {
    "g_min": Sourced(1e-6, "S", f"{WAN}; lower end of the programmed range"),
    "g_max": Sourced(40e-6, "S", f"{WAN}; the g_max of the fit"),
    "times": Sourced((1.0, 86400.0, 172800.0), "s", f"{WAN}; ages of the three measurements"),
    "spread_1s": Sourced((0.348e-6, 16.030e-6, -43.853e-6, 45.393e-6, -16.815e-6), "S", f"{WAN}; polynomial in g"),
    "spread_1d": Sourced((0.701e-6, 22.086e-6, -50.773e-6, 47.095e-6, -16.458e-6), "S", f"{WAN}; polynomial in g"),
    "spread_2d": Sourced((0.782e-6, 20.274e-6, -43.507e-6, 37.062e-6, -11.934e-6), "S", f"{WAN}; polynomial in g"),
    "accepted": Sourced(1e-6, "S", "Wan2022, recalled: cells are accepted within this distance of their target"),
    "onset": Sourced(2e-3, "s", f"{LEVY}; where the variance of technology C, of this spread, begins; fitted by us"),
    "own": Sourced(0.4, "1", f"{LEVY}; share of variance drawn anew at each read-out, technology C, fitted by us"),
    "read_noise": Sourced(0.01, "1", f"{WAN}; short-term noise relative to g_max, suggested there"),
}

RRAM_MILO_2021 = {
    "g_min": Sourced(50e-6, "S", MILO),
    "g_max": Sourced(225e-6, "S", MILO),
    "offset": Sourced(4.782321e-6, "S", f"{MILO}; write error at zero conductance"),
    "slope": Sourced(-0.009107, "1", f"{MILO}; write error over conductance"),
}

CMO_HFOX_FALCONE_2025 = {
    "g_min": Sourced(9e-6, "S", FALCONE),
    "g_max": Sourced(88.199997e-6, "S", FALCONE),
    "write_0.2%": Sourced((0.00081107e-6, 0.00106879), "S, 1", f"{FALCONE}; error at 0 and over conductance, 0.2 %"),
    "write_2%": Sourced((0.0112185391e-6, 0.01129027418), "S, 1", f"{FALCONE}; error at 0 and over conductance, 2 %"),
    "shift": Sourced(-0.08900206e-6, "S", f"{FALCONE}; mean relaxation for each unit of ln t"),
    "spread": Sourced((0.41183342e-6, 0.04201137e-6), "S", f"{FALCONE}; relaxation at 1 s, and for each unit of ln t"),
    "read_noise": Sourced(0.0277316483e-6, "S", f"{LOMBARDO}; for each decade of conductance over 1 uS"),
    "t_read": Sourced(1e-6, "s", f"{LOMBARDO}; duration of a read"),
}


def rram_wan2022(
    *, write_noise_scale: Number = 1.0, drift_scale: Number = 1.0, read_noise_scale: Number = 1.0
) -> Gaussian:
    """HfOx of the NeuRRAM chip, 1 to 40 uS: a spread about the target that grows from one second to two days.

    Relaxation, not drift: the mean stays. The published spread is that of cells which were accepted by write-verify and
    relaxed afterwards: at the end of the write there is only what was accepted, uniform within 1 uS (recalled; here
    normal, of that variance), and another verification does not undo what comes later. Between the three measured
    ages the spread is interpolated in log time, before one second it grows from the write as in raw data of cells of
    the same spread (`rram_relaxing("C")`), after two days it is held (assumed). How one cell moves was not published;
    here it walks as those cells do, `remembering` chooses otherwise. Read noise is the short-term noise that the fit's
    authors suggest, 1 % of `g_max`.

    - `write_noise_scale`, `drift_scale`, `read_noise_scale`: As of `Gaussian`; 1 is the published cell.

    Reference: Wan2022, Levy2024.

    >>> import jax.numpy as jnp, jax.random as jr, device_models as dm
    >>> device = dm.rram_wan2022()
    >>> cells = device.program(jnp.full(2000, 20e-6), key=jr.key(0))
    >>> print([f"{1e6 * device.conductance(cells, jnp.array(t)).std():.1f} uS" for t in (0.0, 1.0, 172800.0)])
    ['0.6 uS', '2.0 uS', '4.0 uS']
    """
    n = RRAM_WAN_2022
    measured = Snapshots(
        n["times"].coefficients,
        tuple(Polynomial(n[name].coefficients) for name in ("spread_1s", "spread_1d", "spread_2d")),
        scale="log",
    )
    first, last = n["times"].coefficients[0], n["times"].coefficients[-1]
    at_write = Constant(float(n["accepted"]) / math.sqrt(3))
    return Gaussian(
        g_min=float(n["g_min"]),
        g_max=float(n["g_max"]),
        spread=FromWrite(measured, first, at_write, float(n["onset"])),
        noise=Steady(Constant(float(n["read_noise"]) * float(n["g_max"]))),
        write_noise_scale=write_noise_scale,
        drift_scale=drift_scale,
        read_noise_scale=read_noise_scale,
        path=Walk(float(n["onset"]), own=float(n["own"])),
        span=Span(time=(first, last), conductance=(float(n["g_min"]), float(n["g_max"]))),
        sources=tuple(describe(n)),
    )


def rram_milo2021(*, write_noise_scale: Number = 1.0) -> Gaussian:
    """HfO2 written by the verify algorithm IGVVA-100, 50 to 225 uS, with the measured nonlinear I-V up to 0.5 V.

    The paper's fit has no age and no read noise.

    Reference: Milo2021.

    >>> import jax.numpy as jnp, jax.random as jr, device_models as dm
    >>> device = dm.rram_milo2021()
    >>> cells = device.program(jnp.full(2000, 150e-6), key=jr.key(0))
    >>> print(f"{1e6 * device.conductance(cells, jnp.array(0.0)).std():.1f} uS")
    3.4 uS
    """
    n = RRAM_MILO_2021
    g_max = float(n["g_max"])
    return Gaussian(
        g_min=float(n["g_min"]),
        g_max=g_max,
        write_noise=Polynomial((float(n["offset"]), float(n["slope"]) * g_max)),
        write_noise_scale=write_noise_scale,
        iv=MiloPolynomial(),
        span=Span(time=JUST_WRITTEN, voltage=(0.0, 0.5), conductance=(float(n["g_min"]), g_max)),
        sources=tuple(describe(n)),
    )


WINDOWS = (0.002, 0.02)  # of the write-verify, of the target
ACCEPTANCE = that(
    "one of the published windows, 0.002 or 0.02 of the target",
    lambda x: np.isclose(x, WINDOWS[0]) | np.isclose(x, WINDOWS[1]),
    hint="Percent? Divide by 100.",
)


@checked(acceptance=ACCEPTANCE)
def cmo_hfox_falcone2025(
    *,
    acceptance: float = 0.002,
    write_noise_scale: Number = 1.0,
    drift_scale: Number = 1.0,
    read_noise_scale: Number = 1.0,
) -> Gaussian:
    """A conductive metal oxide on HfOx, 9 to 88.2 uS: the least write error of all, then relaxation in log time.

    **Arguments:**

    - `acceptance`: Window of the write-verify, 0.002 or 0.02 of the target. The wider takes fewer pulses and leaves ten
      times the write error.

    A cell does not leave the range. Relaxation is that of the fit from one second on, and none at time 0; until which
    age it was measured, the code it was read in does not say. That a cell keeps its rank is assumed.

    Reference: Falcone2025, Lombardo2024.

    >>> import jax.numpy as jnp, jax.random as jr, device_models as dm
    >>> device = dm.cmo_hfox_falcone2025(acceptance=0.02)
    >>> cells = device.program(jnp.full(2000, 50e-6), key=jr.key(0))
    >>> print(f"{device.conductance(cells, jnp.array(0.0)).std() / 50e-6:.3f}")
    0.012
    """
    n = CMO_HFOX_FALCONE_2025
    g_max = float(n["g_max"])
    offset, slope = n["write_0.2%" if np.isclose(acceptance, WINDOWS[0]) else "write_2%"].coefficients
    per_log = float(n["read_noise"]) / LN_10
    return Gaussian(
        g_min=float(n["g_min"]),
        g_max=g_max,
        write_noise=Polynomial((offset, slope * g_max)),
        shift=LogTime(0.0, float(n["shift"])),
        spread=LogTime(*n["spread"].coefficients),
        noise=LogGrowth(ClippedLog(per_log, per_log * math.log(g_max / 1e-6), 0.0, math.inf), float(n["t_read"])),
        lowest=float(n["g_min"]),
        highest=g_max,
        write_noise_scale=write_noise_scale,
        drift_scale=drift_scale,
        read_noise_scale=read_noise_scale,
        span=Span(conductance=(float(n["g_min"]), g_max)),
        sources=tuple(describe(n)),
    )
