"""What came of a descent: designs between accuracy and energy, judged on the same chips."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, Key

from ...data import Dataset
from ...nn import MixedSignal, PerLayer
from ...study import interval, robustness
from ...study._chips import programmed
from ...train._samples import Samples
from .._joules import arrange, measure
from .._layers import COMPONENTS
from .._periphery import Periphery
from ._priced import written

if TYPE_CHECKING:
    import xarray as xr


class Descended(NamedTuple):
    """One design of a `Front`.

    **Arguments:**

    - `model`: Digital, with the weights that go with the design.
    - `crossbar`: The design of each layer; goes wherever a design goes.
    - `periphery`: That around it.
    - `numbers`: What was free, by name and path of the layer; of the whole chip at path "".

    >>> import memsim as ms
    >>> ms.energy.Descended._fields
    ('model', 'crossbar', 'periphery', 'numbers')
    """

    model: Any
    crossbar: PerLayer | MixedSignal
    periphery: Periphery
    numbers: dict[str, dict[str, float]]


class Front(NamedTuple):
    """Designs between accuracy and energy; `str` is a table of them, with 95 % intervals over chips and samples.

    **Arguments:**

    - `table`: A data set with `accuracy` (design, price, chip, time), `joules` of a sample (design, price, chip,
      component), the share of `programming` in joules of a sample, and each free number by its name (design, price,
      or design, price, layer; NaN for layers that a design leaves digital).
    - `points`: Model and design of each, by name of the design (""  where one was given) and price.

    >>> import memsim as ms
    >>> ms.energy.Front._fields
    ('table', 'points')
    """

    table: "xr.Dataset"
    points: dict[tuple[str, float], Descended]

    def __str__(self) -> str:
        lines = [f"{'design':>12} {'price':>8} {'nJ a sample':>12}  accuracy in %"]
        for name, price in self.points:
            one = self.table.sel(design=name, price=price)
            accuracy = interval(one.accuracy.mean("time")).in_percent()
            joules = float(total(one).mean())
            lines.append(f"{name:>12} {price:>8g} {1e9 * joules:>12.4g}  {accuracy}")
        return "\n".join(lines)

    @property
    def efficient(self) -> dict[tuple[str, float], Descended]:
        """The points that no other beats in mean accuracy at no more energy."""
        worth = {}
        for name, price in self.points:
            one = self.table.sel(design=name, price=price)
            worth[name, price] = (float(one.accuracy.mean()), float(total(one).mean()))
        beaten = {
            point
            for point, (accuracy, joules) in worth.items()
            if any(a >= accuracy and j <= joules and (a, j) != (accuracy, joules) for a, j in worth.values())
        }
        return {point: found for point, found in self.points.items() if point not in beaten}


def total(one: "xr.Dataset") -> "xr.DataArray":
    """Joules of a sample on each chip, its share of the programming included."""
    return one.joules.sum("component") + one.programming


def front_of(found: Mapping[tuple[str, float], Descended], test: Dataset, how: Any, *, key: Key[Array, ""]) -> Front:
    """Each design judged on `test`, on the same chips."""
    import xarray as xr

    judged = [judge(one, test, how, key=key) for one in found.values()]
    names = list(dict.fromkeys(name for name, _ in found))
    prices = list(dict.fromkeys(price for _, price in found))
    rows = [
        xr.concat(judged[place * len(prices) : (place + 1) * len(prices)], xr.Variable("price", prices))
        for place in range(len(names))
    ]
    table = xr.concat(rows, xr.Variable("design", names), join="outer")  # designs may leave other layers digital
    table["joules"].attrs["units"] = table["programming"].attrs["units"] = "J"
    table["accuracy"].attrs["units"] = table["price"].attrs["units"] = "1"
    return Front(table, dict(found))


def judge(one: Descended, test: Dataset, how: Any, *, key: Key[Array, ""]) -> "xr.Dataset":
    """Accuracy, energy and numbers of one design on `how.chips` chips."""
    import xarray as xr

    interval_s = one.numbers.get("interval", {}).get("")
    times = [share * interval_s for share in how.times] if interval_s is not None else list(how.times)
    study = robustness(one.model, test, one.crossbar, chips=how.chips, times=times, key=key)
    xs = Samples.of(test).xs[: how.samples]
    joules, writing = _energies(one, xs, jnp.asarray(times, jnp.result_type(float)), jnp.arange(how.chips), key)
    rate = 0.0 if how.per_second is None or interval_s is None else 1 / (how.per_second * interval_s)
    numbers = {name: each[""] if "" in each else ("layer", list(each.values())) for name, each in one.numbers.items()}
    layers = next((list(each) for each in one.numbers.values() if "" not in each), [])
    return xr.Dataset(
        {
            "accuracy": (("chip", "time"), study.accuracy.values),
            "joules": (("chip", "component"), np.asarray(joules, float)),
            "programming": ("chip", np.asarray(writing, float) * rate),
            **numbers,
        },
        {"chip": np.arange(how.chips), "component": list(COMPONENTS)} | ({"layer": layers} if layers else {}),
    )


@eqx.filter_jit
def _energies(
    one: Descended, xs: Array, times: Float[Array, " times"], chips: Array, key: Key[Array, ""]
) -> tuple[Float[Array, "chips components"], Float[Array, " chips"]]:
    """Joules of a sample by component, at the middle of the times, and of writing all cells, of each chip."""

    def of_chip(number: Array) -> tuple[Array, Array]:
        chip, life_key = programmed(one.model, one.crossbar, number, key=key)
        arranged = arrange(chip, jnp.mean(times), one.periphery, life_key)
        found = measure(arranged, one.periphery, xs, jr.fold_in(life_key, 1))
        return jnp.mean(jnp.sum(found.joules, 1), 0), written(arranged)

    return jax.lax.map(of_chip, chips)
