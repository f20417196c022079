"""Electrochemical, ferroelectric and magnetic memory: few numbers are read, the others recalled or assumed."""

from .._checks._quantities import Number
from .._device import AbstractDevice
from .._sourced import Sourced, describe
from .._span import JUST_WRITTEN, Span
from .._wrappers._levels import Levels
from ..curves._curves import Constant, Proportional
from ._gaussian import Gaussian

CHEN = "Chen2023, 10.1038/s41467-023-41958-4, caption of Fig. 2"
JERRY = "Jerry2017, recalled"

ECRAM_CHEN_2023 = {
    "g_min": Sourced(60e-6, "S", f"{CHEN}, fifth of the dynamic ranges shown"),
    "g_max": Sourced(100e-6, "S", f"{CHEN}, fifth of the dynamic ranges shown"),
    "pulses": Sourced(100.0, "1", f"{CHEN}; pulses from one end of the range to the other"),
    "write_noise": Sourced(0.5, "1", "Chen2023; assumed: half the step of one pulse"),
}

FEFET_JERRY_2017 = {
    "g_max": Sourced(1 / 559.28e3, "S", f"{JERRY} from NeuroSim's table of devices"),
    "on_off": Sourced(45.0, "1", JERRY),
    "levels": Sourced(32.0, "1", JERRY),
    "write_noise": Sourced(0.005, "1", f"{JERRY}; relative to the range, cycle to cycle"),
}

MTJ_GENERIC = {
    "r_on": Sourced(5e3, "ohm", "assumed: within 3 to 10 kohm, recalled of junctions for memory"),
    "tmr": Sourced(1.4, "1", "assumed: within 100 to 180 %, recalled of junctions for memory"),
    "spread": Sourced(0.04, "1", "assumed: relative, within 3 to 5 %, recalled of junctions for memory"),
}


def ecram_chen2023(*, write_noise_scale: Number = 1.0) -> Gaussian:
    """Electrochemical memory of tungsten oxide written open loop, 60 to 100 uS in steps of 0.4 uS.

    The range and the step were read in a figure caption. That the write error is half a step is assumed: the paper
    shows a histogram of an array's output errors (Fig. 2g), whose numbers are in no text that we could read. Twenty
    states are reported to be retained (Fig. 2d), for how long we could not read either; nothing drifts here.

    Reference: Chen2023.

    >>> import jax.numpy as jnp, jax.random as jr, device_models as dm
    >>> device = dm.ecram_chen2023()
    >>> cells = device.program(jnp.full(2000, 80e-6), key=jr.key(0))
    >>> print(f"{1e6 * device.conductance(cells, jnp.array(0.0)).std():.1f} uS")  # half a step of 0.4 uS
    0.2 uS
    """
    n = ECRAM_CHEN_2023
    g_min, g_max = float(n["g_min"]), float(n["g_max"])
    error = float(n["write_noise"]) * (g_max - g_min) / float(n["pulses"])
    return Gaussian(
        g_min=g_min,
        g_max=g_max,
        span=Span(time=JUST_WRITTEN, conductance=(g_min, g_max)),
        write_noise=Constant(error),
        write_noise_scale=write_noise_scale,
        sources=tuple(describe(n)),
    )


def fefet_jerry2017(*, write_noise_scale: Number = 1.0) -> AbstractDevice:
    """A ferroelectric transistor of 32 levels, 0.04 to 1.8 uS. All numbers are recalled.

    The write error is one number for every state, of one device from cycle to cycle. Transistors of 28 nm vary from
    device to device as well, by an amount that depends on the state, the size and the read voltage (arXiv:2312.15444,
    of which we could read the abstract only): take this cell for the best of its kind.

    Reference: Jerry2017.

    >>> import device_models as dm
    >>> device = dm.fefet_jerry2017()
    >>> device.levels, f"{1e6 * device.g_min:.2f} to {1e6 * device.g_max:.1f} uS"
    (32, '0.04 to 1.8 uS')
    """
    n = FEFET_JERRY_2017
    g_max = float(n["g_max"])
    g_min = g_max / float(n["on_off"])
    cell = Gaussian(
        g_min=g_min,
        g_max=g_max,
        span=Span(time=JUST_WRITTEN, conductance=(g_min, g_max)),
        write_noise=Constant(float(n["write_noise"]) * (g_max - g_min)),
        write_noise_scale=write_noise_scale,
        sources=tuple(describe(n)),
    )
    return Levels(device=cell, n=int(float(n["levels"])))  # pyright: ignore[reportCallIssue]


def mtj_generic(*, write_noise_scale: Number = 1.0) -> AbstractDevice:
    """A magnetic tunnel junction of no paper: two states of 83 and 200 uS, each with a relative spread, all assumed.

    The spread is one of fabrication; here a new one is drawn at each write. Arrays sum the *currents* of these cells,
    which is why their low resistance costs so much power and so much voltage on the wires. The array of magnetic cells
    that was built sums *resistances* instead (Jung2022, abstract), of cells in series between whose two paths binary
    inputs choose (recalled): it takes no analog inputs, so its results are not to be compared with these.

    >>> import jax.numpy as jnp, jax.random as jr, device_models as dm
    >>> device = dm.mtj_generic()
    >>> cells = device.program(jnp.linspace(device.g_min, device.g_max, 5), key=jr.key(0))
    >>> print((1e6 * device.conductance(cells, jnp.array(0.0))).astype(int))  # two states
    [ 86  80  80 190 193]
    """
    n = MTJ_GENERIC
    g_max = 1 / float(n["r_on"])
    cell = Gaussian(
        g_min=g_max / (1 + float(n["tmr"])),
        g_max=g_max,
        span=Span(time=JUST_WRITTEN),
        write_noise=Proportional(float(n["spread"]) * g_max),
        write_noise_scale=write_noise_scale,
        sources=tuple(describe(n)),
    )
    return Levels(device=cell, n=2)  # pyright: ignore[reportCallIssue]
