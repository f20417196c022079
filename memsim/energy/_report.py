"""The cost of a model in a few numbers and words."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .._checks import checked, described
from ._digital import DIGITAL_MOVEMENT
from ._layers import MOVEMENT

DIMENSIONS = ("sample", "layer", "component")

if TYPE_CHECKING:
    import xarray as xr

SPIKES_PAY = (
    "1.7 (Davidson2021, second-hand), 0.15 to 1.38 (Dampfhoffer2022), or with data movement 6.4 % of 5 to 10 steps "
    "(Yan2024)"
)


class Report(NamedTuple):
    """A cost in numbers; `str` is the same in words. Means are over samples.

    **Arguments:**

    - `joules`: Of a sample.
    - `joules_per_product`: Of a multiplication with its sum, all layers together.
    - `operations_per_joule`: Two for each multiplication; in units of 1e12 that is TOPS/W.
    - `latency`, `interval`: Seconds from input to output, and between inputs of a pipeline; NaN where not known.
    - `shares`: Of each component, the largest first.
    - `movement`, `converters`: Shares of data movement, and of ADCs.
    - `square_metres`: All together; NaN where not known.
    - `spikes_per_synapse`: Mean pulses on a word line for each sample; NaN for a digital machine.
    - `assumed`: What was not measured or published, by component.
    - `digital`: Layers that are not counted.
    - `pulsed`: Layers without a DAC, whose inputs are taken for spikes.

    >>> import jax.numpy as jnp, jax.random as jr, memsim as ms
    >>> model, xs = ms.nn.Linear(64, 32, key=jr.key(0)), jnp.ones((1, 64))
    >>> found = ms.energy.report(ms.energy.digital(model, xs))
    >>> list(found.shares)[0], 0 < found.movement < 1
    ('on-chip memory', True)
    """

    joules: float
    joules_per_product: float
    operations_per_joule: float
    latency: float
    interval: float
    shares: dict[str, float]
    movement: float
    converters: float
    square_metres: float
    spikes_per_synapse: float
    assumed: dict[str, str]
    digital: str
    pulsed: str

    def __str__(self) -> str:
        largest = list(self.shares)[:3]
        lines = [
            f"{1e6 * self.joules:.4g} uJ an inference, {1e12 * self.joules_per_product:.4g} pJ/MAC, "
            f"{1e-12 * self.operations_per_joule:.4g} TOPS/W",
            "dominated by " + ", ".join(f"{name} ({self.shares[name]:.0%})" for name in largest),
            f"data movement {self.movement:.0%}, ADC {self.converters:.0%}",
        ]
        if np.isfinite(self.latency):
            lines.append(f"latency {1e6 * self.latency:.4g} us, an input every {1e6 * self.interval:.4g} us")
        if np.isfinite(self.square_metres):
            lines.append(f"area {1e6 * self.square_metres:.4g} mm^2")
        if np.isfinite(self.spikes_per_synapse):
            lines.append(
                f"{self.spikes_per_synapse:.3g} pulses a word line and inference; spikes pay below {SPIKES_PAY}"
            )
        lines += [f"not measured: {name} ({what})" for name, what in self.assumed.items()]
        if self.digital:
            lines.append(f"not counted: {self.digital}, which are digital")
        if self.pulsed:
            lines.append(f"taken for spikes, |x| pulses in the time of one: inputs of {self.pulsed}, without a DAC")
        return "\n".join(lines)


@checked()
def report(cost: "xr.Dataset") -> Report:
    """What `of` or `digital` found, in short: energy, efficiency, what dominates, and what of it is assumed.

    **Raises:** `ValueError` for another data set, and for one without any energy.

    - `cost`: From `ms.energy.of` or `ms.energy.digital`.

    >>> import jax.numpy as jnp, jax.random as jr, device_models as dm, memsim as ms
    >>> chip = ms.program(ms.nn.Linear(3, 2, key=jr.key(0)), ms.Crossbar(dm.Ideal(), adc=ms.ADC(8)), key=jr.key(1))
    >>> found = ms.energy.report(ms.energy.of(chip, jnp.ones((2, 3))))
    >>> list(found.shares)[:2], found.joules > 0
    (['leakage', 'buffers'], True)
    """
    check_cost(cost)
    by_component = cost.joules.sum("layer").mean("sample").to_series().sort_values(ascending=False)
    total = float(by_component.sum())
    products = float((cost.reads * cost.multiplications).sum("layer").mean("sample"))
    if not (total > 0 and products > 0):
        raise ValueError(f"`cost` must hold energy of some multiplications. Got {total} J for {products} of them.")
    shares = {str(name): float(joules) / total for name, joules in by_component.items() if joules > 0}
    told = {str(name): str(cost.assumed.sel(component=name).item()) for name in shares}
    moving = {*MOVEMENT, *DIGITAL_MOVEMENT}
    return Report(
        joules=total,
        joules_per_product=total / products,
        operations_per_joule=2 * products / total,
        latency=_mean(cost, "latency"),
        interval=_mean(cost, "interval"),
        shares=shares,
        movement=sum(share for name, share in shares.items() if name in moving),
        converters=shares.get("adc", 0.0),
        square_metres=float(cost.square_metres.sum()) if "square_metres" in cost else float("nan"),
        spikes_per_synapse=_mean(cost, "pulses_per_line"),
        assumed={name: what for name, what in told.items() if what},
        digital=str(cost.attrs.get("digital", "")),
        pulsed=str(cost.attrs.get("pulsed", "")),
    )


def check_cost(cost: "xr.Dataset") -> None:
    """Raises `ValueError` for what is no cost."""
    missing = {"joules", "reads", "multiplications", "assumed"} - set(getattr(cost, "variables", ()))
    if missing:
        raise ValueError(
            "`cost` must be a data set of `ms.energy.of` or `ms.energy.digital`. Got "
            f"{described(cost)}, without {', '.join(sorted(missing))}."
        )
    if set(cost.joules.dims) != set(DIMENSIONS):
        raise ValueError(
            f"`cost` must have {', '.join(DIMENSIONS)}. Got {', '.join(map(str, cost.joules.dims))}. Choose one "
            "by a list: `cost.isel(sample=[0])`."
        )


def _mean(cost: "xr.Dataset", name: str) -> float:
    return float(cost[name].mean()) if name in cost else float("nan")
