"""Published phase-change memory parameter sets, each number with its place."""

import dataclasses
from collections.abc import Sequence

from .._checks import checked
from .._checks._quantities import NOT_NEGATIVE, SIEMENS, Number, exceeds
from .._sourced import Sourced, describe
from .._span import Span
from ..curves._curves import Branches, ClippedLog, Constant, InversePower, Polynomial, Table, is_rising
from ._pcm import PCM

YEAR = 3.156e7  # seconds
JOSHI = "Nandakumar2019, 10.1109/ICECS46596.2019.8964852, and Joshi2020, 10.1038/s41467-020-16108-9"
HERMES = "LeGallo2023, 10.1038/s41928-023-01010-1"
LI = "Li2023, 10.1002/aelm.202201190, recalled"

PCM_JOSHI_2020 = {
    "g_max": Sourced(25e-6, "S", JOSHI),
    "t_0": Sourced(20.0, "s", JOSHI),
    "t_read": Sourced(250e-9, "s", JOSHI),
    "write_noise": Sourced((0.26348e-6, 1.9650e-6, -1.1731e-6), "S", f"{JOSHI}; polynomial in g, measured and fitted"),
    "nu_mean": Sourced((-0.0155, 0.0244, 0.049, 0.1), "1", f"{JOSHI}; clip(a ln g + b, low, high)"),
    "nu_std": Sourced((-0.0125, -0.0059, 0.008, 0.045), "1", f"{JOSHI}; clip(a ln g + b, low, high)"),
    "relative_read_noise": Sourced((0.0088, 0.65, 0.2), "1", f"{JOSHI}; min(a g^-p, high)"),
}

PCM_HERMES_1 = {
    "g_max": Sourced(10.35e-6, "S", f"{HERMES}, one device a weight"),
    "t_0": Sourced(200.0, "s", HERMES),
    "t_read": Sourced(512e-9, "s", HERMES),
    "write_noise": Sourced((0.15781817e-6, 2.32443916e-6, -2.16310839e-6, 0.68841818e-6), "S", f"{HERMES}; in g"),
    "nu_mean_low": Sourced((-0.0387, -0.0182, 0.0720, 0.13), "1", f"{HERMES}; g < 0.0945, clip(a ln g + b, low, high)"),
    "nu_mean_high": Sourced((0.0736, -0.0126, -0.0436), "1", f"{HERMES}; g >= 0.0945, polynomial"),
    "nu_mean_at": Sourced(0.0945, "1", HERMES),
    "nu_std_low": Sourced((-0.0120, -0.0023, 0.0124, 0.04), "1", f"{HERMES}; clip(a ln g + b, low, high)"),
    "nu_std_high": Sourced((0.0104, 0.0116, -0.0165), "1", f"{HERMES}; polynomial"),
    "nu_std_at": Sourced(0.3039, "1", HERMES),
    "read_low": Sourced((-0.0078, 0.0038, 0.0179, 0.04), "1", f"{HERMES}; clip(a ln g + b, low, high)"),
    "read_high": Sourced((0.0088, 0.0768, -0.1352, 0.0664), "1", f"{HERMES}; polynomial"),
    "read_at": Sourced(0.1591, "1", HERMES),
}

PCM_HERMES_2 = {
    "g_max": Sourced(20.7e-6, "S", f"{HERMES}, two devices a weight"),
    "t_0": Sourced(300.0, "s", HERMES),
    "t_read": Sourced(512e-9, "s", HERMES),
    "write_noise": Sourced((0.16603222e-6, 4.71806468e-6, -8.48101252e-6, 4.68961419e-6), "S", f"{HERMES}; in g"),
    "nu_mean_low": PCM_HERMES_1["nu_mean_low"],
    "nu_mean_high": PCM_HERMES_1["nu_mean_high"],
    "nu_mean_at": PCM_HERMES_1["nu_mean_at"],
    "nu_std_low": Sourced((-0.0117, -0.0057, 0.0091, 0.04), "1", f"{HERMES}; clip(a ln g + b, low, high)"),
    "nu_std_high": Sourced((0.0073, 0.0093, -0.0118), "1", f"{HERMES}; polynomial"),
    "nu_std_at": Sourced(0.3055, "1", HERMES),
    "read_low": Sourced((-0.0117, -0.0069, 0.015, 0.04), "1", f"{HERMES}; clip(a ln g + b, low, high)"),
    "read_high": Sourced((0.0123, 0.0211, -0.0280, 0.0069), "1", f"{HERMES}; polynomial"),
    "read_at": Sourced(0.16, "1", HERMES),
}


PCM_LI_2023 = {
    "nu_mean": Sourced(0.015, "1", f"{LI}; typical of projected cells, 0.01 to 0.02"),
    "nu_std": Sourced(0.003, "1", "Li2023; assumed, a fifth of the mean"),
}


def pcm_joshi2020(*, write_noise_scale: Number = 1.0, nu_scale: Number = 1.0, read_noise_scale: Number = 1.0) -> PCM:
    """Mushroom-cell PCM of 25 uS, about a million devices measured; published use spans 1 s to 1 year, its span here.

    - `write_noise_scale`, `nu_scale`, `read_noise_scale`: As of `PCM`; 1 is the published cell.

    Reference: Nandakumar2019, Joshi2020.

    >>> import jax.numpy as jnp, jax.random as jr, device_models as dm
    >>> device = dm.pcm_joshi2020()
    >>> cells = device.program(jnp.full(2000, 25e-6), key=jr.key(0))
    >>> print(f"{1e6 * device.conductance(cells, jnp.array(0.0)).std():.1f} uS")  # write noise at the top
    1.1 uS
    """
    n = PCM_JOSHI_2020
    return PCM(
        g_min=0.0,
        g_max=float(n["g_max"]),
        write_noise=Polynomial(n["write_noise"].coefficients),
        nu_mean=ClippedLog(*n["nu_mean"].coefficients),
        nu_std=ClippedLog(*n["nu_std"].coefficients),
        relative_read_noise=InversePower(*n["relative_read_noise"].coefficients),
        t_0=float(n["t_0"]),
        t_read=float(n["t_read"]),
        write_noise_scale=write_noise_scale,
        nu_scale=nu_scale,
        read_noise_scale=read_noise_scale,
        span=Span(time=(0.0, YEAR), conductance=(0.0, float(n["g_max"]))),
        sources=tuple(describe(n)),
    )


def pcm_hermes1(*, write_noise_scale: Number = 1.0, nu_scale: Number = 1.0, read_noise_scale: Number = 1.0) -> PCM:
    """PCM of the 14 nm HERMES chip, one device for each sign of a weight, 10.35 uS.

    - `write_noise_scale`, `nu_scale`, `read_noise_scale`: As of `PCM`; 1 is the published cell.

    Reference: LeGallo2023.

    >>> import jax.numpy as jnp, jax.random as jr, device_models as dm
    >>> device = dm.pcm_hermes1()
    >>> cells = device.program(jnp.full(1000, device.g_max), key=jr.key(0))
    >>> month = device.conductance(cells, jnp.array(2.6e6)) / device.conductance(cells, jnp.array(0.0))
    >>> print(f"{month.mean():.2f}")
    0.85
    """
    return _hermes(PCM_HERMES_1, write_noise_scale, nu_scale, read_noise_scale)


def pcm_hermes2(*, write_noise_scale: Number = 1.0, nu_scale: Number = 1.0, read_noise_scale: Number = 1.0) -> PCM:
    """PCM of the 14 nm HERMES chip, two devices for each sign of a weight, 20.7 uS.

    Both devices are taken as equally programmed, which drifts worse than the chip, where they are remapped dynamically.

    - `write_noise_scale`, `nu_scale`, `read_noise_scale`: As of `PCM`; 1 is the published cell.

    Reference: LeGallo2023.

    >>> import jax.numpy as jnp, jax.random as jr, device_models as dm
    >>> device = dm.pcm_hermes2()
    >>> cells = device.program(jnp.full(1000, device.g_max), key=jr.key(0))
    >>> month = device.conductance(cells, jnp.array(2.6e6)) / device.conductance(cells, jnp.array(0.0))
    >>> print(f"{month.mean():.2f}")
    0.86
    """
    return _hermes(PCM_HERMES_2, write_noise_scale, nu_scale, read_noise_scale)


def pcm_li2023() -> PCM:
    """Projected PCM: `pcm_joshi2020` with the small exponents of cells whose read current bypasses the amorphous phase.

    Exponents are recalled; a measured table goes into `pcm_with_drift`.

    Reference: Li2023.

    >>> import jax.numpy as jnp, jax.random as jr, device_models as dm
    >>> def kept(device):
    ...     cells = device.program(jnp.full(1000, 20e-6), key=jr.key(0))
    ...     return (device.conductance(cells, jnp.array(86400.0)) / device.conductance(cells, jnp.array(0.0))).mean()
    >>> print(f"{kept(dm.pcm_li2023()):.2f}, {kept(dm.pcm_joshi2020()):.2f} without the projection")
    0.88, 0.67 without the projection
    """
    n = PCM_LI_2023
    cell = pcm_joshi2020()
    return dataclasses.replace(
        cell,
        span=Span(conductance=cell.span.conductance),
        nu_mean=Constant(float(n["nu_mean"])),
        nu_std=Constant(float(n["nu_std"])),
        sources=(*cell.sources, *describe(n)),
    )


@checked(conductances=SIEMENS, nu_std=NOT_NEGATIVE)
def pcm_with_drift(
    conductances: Sequence[float], nu_mean: Sequence[float], nu_std: Sequence[float], device: PCM | None = None
) -> PCM:
    """PCM with a drift table of your own, as for projected cells.

    **Arguments:**

    - `conductances`: At which the exponents were measured, in siemens, increasing; held outside.
    - `nu_mean`, `nu_std`: Mean and standard deviation of the exponents there.
    - `device`: All else; `pcm_joshi2020()` if none is given.

    >>> import jax.numpy as jnp, jax.random as jr, device_models as dm
    >>> device = dm.pcm_with_drift([1e-6, 20e-6], nu_mean=[0.01, 0.005], nu_std=[0.001, 0.001])
    >>> cells = device.program(jnp.full(1000, 10e-6), key=jr.key(0))
    >>> day = device.conductance(cells, jnp.array(86400.0)) / device.conductance(cells, jnp.array(0.0))
    >>> print(f"{day.mean():.2f}")
    0.94
    """
    device = device or pcm_joshi2020()
    if not len(conductances) == len(nu_mean) == len(nu_std) >= 2 or not is_rising(tuple(conductances)):
        raise ValueError(
            "`conductances` must be at least two, increasing, with one of `nu_mean` and `nu_std` for each. "
            f"Got {len(conductances)}, {len(nu_mean)} and {len(nu_std)}. Sort them."
        )
    if exceeds(max(conductances), device.g_max):
        raise ValueError(
            f"`conductances` of a drift table must lie within the device's range, up to {device.g_max} S. "
            f"Got up to {max(conductances)}. Micro-siemens? Multiply by 1e-6."
        )
    at = tuple(g / device.g_max for g in conductances)
    span = Span(conductance=(min(conductances), max(conductances)))
    return dataclasses.replace(device, nu_mean=Table(at, tuple(nu_mean)), nu_std=Table(at, tuple(nu_std)), span=span)


def _hermes(n: dict[str, Sourced], write_noise_scale: Number, nu_scale: Number, read_noise_scale: Number) -> PCM:
    def branches(name: str) -> Branches:
        low, high = n[f"{name}_low"].coefficients, n[f"{name}_high"].coefficients
        return Branches(float(n[f"{name}_at"]), ClippedLog(*low), Polynomial(high))

    return PCM(
        g_min=0.0,
        g_max=float(n["g_max"]),
        write_noise=Polynomial(n["write_noise"].coefficients),
        nu_mean=branches("nu_mean"),
        nu_std=branches("nu_std"),
        relative_read_noise=branches("read"),
        t_0=float(n["t_0"]),
        t_read=float(n["t_read"]),
        write_noise_scale=write_noise_scale,
        nu_scale=nu_scale,
        read_noise_scale=read_noise_scale,
        span=Span(conductance=(0.0, float(n["g_max"]))),  # the code they were read in names no age
        sources=tuple(describe(n)),
    )
