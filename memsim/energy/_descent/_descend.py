"""A chip designed by its gradient: accuracy and energy descend together."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Key

from ..._checks import TIME, Checked, at_least, check, checked, plain, positive, whole
from ...data import Splits
from ...nn import LearnedRanges, Stateful, analog_layers
from ...nn._designing import bare
from ...nn._mixed_signal import Designs, check_designs, crossbar_of
from ...study._chips import check_times
from ...train import LogUniform, Objective, fit
from ...train._task import MODEL
from .._joules import PERIPHERY, PLAIN
from .._periphery import Periphery
from ._designed import Designed, as_number
from ._free import Free, Knob, starting
from ._front import Descended, Front, front_of
from ._priced import PricedChip
from ._rates import rates

PRICES = at_least(0.0, "of the loss, for an e-fold of energy")


class Descent(Checked):
    """How a design descends, and how what came of it is judged.

    **Arguments:**

    - `epochs`, `last_epochs`: Of training with broken bits, and with rounded ones afterwards.
    - `batch_size`: Samples a step.
    - `learning_rate`: Of weights and ranges of converters, by Adam with a cosine decay.
    - `pace`: As the rate, of the other numbers of the design; a number moves from one of its ends to the other in some
      8 / `pace` steps.
    - `samples`: Of a mini-batch and of the test set, whose energy is measured.
    - `time`: Age of the chips in training, in seconds, or `LogUniform`; of a free interval, within it.
    - `per_second`: Samples a second, over which the energy of writing is shared where the interval between writes is
      free; `None` counts none.
    - `chips`: On which each design is judged, the same for all.
    - `times`: Ages at which it is judged, in seconds; with a free interval, as shares of it.
    - `folder`: Where trainings keep their state, so that an interrupted descent goes on.

    >>> import memsim as ms
    >>> descent = ms.energy.Descent(epochs=3, last_epochs=1, chips=5, times=(0.0, 86400.0))
    >>> descent.batch_size, descent.times
    (64, (0.0, 86400.0))
    """

    epochs: int = eqx.field(static=True, converter=plain, default=15)
    last_epochs: int = eqx.field(static=True, converter=plain, default=5)
    batch_size: int = eqx.field(static=True, converter=plain, default=64)
    learning_rate: float = 1e-3
    pace: float = 0.05
    samples: int = eqx.field(static=True, converter=plain, default=8)
    time: float | LogUniform = 0.0
    per_second: float | None = None
    chips: int = eqx.field(static=True, converter=plain, default=20)
    times: tuple[float, ...] = eqx.field(static=True, converter=plain, default=(0.0,))
    folder: Path | str | None = eqx.field(static=True, default=None)

    def __check_init__(self):
        sizes = dict.fromkeys(("epochs", "last_epochs", "batch_size", "samples", "chips"), whole(1))
        check(self, **sizes, learning_rate=positive(), pace=positive(), time=TIME, per_second=positive("a second"))
        check_times(self.times)


@checked(net=MODEL, prices=PRICES, periphery=PERIPHERY)
def descend(
    net: Any,
    crossbar: Designs | Mapping[str, Designs],
    data: Splits,
    *,
    free: Free,
    prices: Sequence[float],
    key: Key[Array, ""],
    objective: Objective | None = None,
    periphery: Periphery = PLAIN,
    descent: Descent | None = None,
) -> Front:
    r"""Designs for `net` between accuracy and energy: for each price, the weights and the numbers of the design that
    minimise the loss on sampled chips plus the price times the logarithm of the energy (`PricedChip`).

    All descend together by their gradients: weights, ranges of converters, and what is `free`. Bits are broken in the
    first epochs (`RelaxedADC`: equal steps, of which there need not be a whole number), then rounded and held. What
    cannot have a gradient, such as the size of a tile, or cells for a weight, is swept: by a mapping of designs.

    Each result is judged with whole bits, by `memsim.study.robustness` on the test set, on chips that are the same for
    all prices and designs.

    **Arguments:**

    - `net`: Digital; best trained for chips before, at any price. Of a `LearnedRanges` its ranges are the first ones.
    - `crossbar`: Where numbers start, best with ranges of `memsim.calibrate`; or several, by name.
    - `data`: Trained on its training set, judged on its test set.
    - `free`: Which numbers of the design change, and between which ends.
    - `prices`: What an e-fold of energy is worth, in units of the loss; 0 is a design for accuracy alone.
    - `key`: For everything; the same for each price.
    - `objective`: As `loss` of `memsim.train.fit`.
    - `periphery`: What surrounds the arrays.
    - `descent`: How long, how fast, and how it is judged.

    **Returns:** A `Front`: a data set with intervals over chips, and the model and design of each point.

    **Raises:** `ValueError` for a free number without effect on accuracy, and what `fit` and `of` refuse.

    >>> import device_models as dm, memsim as ms
    >>> free = ms.energy.Free(g_max=(5e-6, 25e-6), adc_bits=(4, 8))
    >>> # front = ms.energy.descend(net, crossbar, data, free=free, prices=(0.0, 0.03, 0.1), key=key)
    """
    how = Descent() if descent is None else descent
    _check(net, prices)
    swept = dict(crossbar) if isinstance(crossbar, Mapping) else {"": crossbar}
    begun = [_begin(net, one, free, how, periphery) for one in swept.values()]
    found = {}
    for name, (designs, start) in zip(swept, begun, strict=True):
        for price in prices:
            hardware = PricedChip(
                crossbar=designs,
                price=jnp.asarray(float(price), jnp.result_type(float)),
                periphery=periphery,
                samples=how.samples,
                per_second=how.per_second,
                time=how.time,
            )
            run = _Run(hardware, data, objective, how, f"{name or 'design'}-{float(price)!r}", key)
            found[name, float(price)] = _settled(run.descended(start), designs, periphery)
    return front_of(found, data.test, how, key=jr.fold_in(key, 1))


class _Run(NamedTuple):
    """One descent."""

    hardware: PricedChip
    data: Splits
    objective: Objective | None
    how: Descent
    name: str
    key: Key[Array, ""]

    def descended(self, start: Designed) -> Designed:
        relaxed = self._fitted(start, self.how.epochs, "relaxed", bits=True)
        return self._fitted(rounded(relaxed), self.how.last_epochs, "rounded", bits=False)

    def _fitted(self, start: Designed, epochs: int, phase: str, *, bits: bool) -> Designed:
        how, rate = self.how, float(self.how.learning_rate)
        steps = epochs * (len(self.data.train) // how.batch_size)
        return fit(
            start,
            self.data,
            key=jr.fold_in(self.key, int(bits)),
            hardware=self.hardware,
            optimizer=rates(rate if bits else rate / 3, float(how.pace), max(steps, 1), bits=bits),
            loss=self.objective,
            epochs=epochs,
            batch_size=how.batch_size,
            checkpoint=None if how.folder is None else Path(how.folder) / f"{self.name}-{phase}.checkpoint",
        )


def _check(net: Any, prices: Sequence[float]) -> None:
    if len(prices) == 0 or len(set(map(float, prices))) < len(prices):
        raise ValueError(f"`prices` must be one or more different numbers. Got {prices}.")
    if isinstance(bare(net), Stateful):
        raise ValueError(
            "`net` must keep no state of norms: their statistics would be those of other designs. Got a Stateful. Fold "
            "batch norms into the layers before them, or use `LayerNorm`."
        )


def _begin(net: Any, crossbar: Designs, free: Free, how: Descent, around: Periphery) -> tuple[Designs, Designed]:
    """The designs of all layers, and the model with the knobs where they start."""
    check_designs(crossbar)
    if isinstance(net, LearnedRanges):
        net, crossbar = net.model, net.design(crossbar)
    layers = analog_layers(net)
    designs = {path: crossbar_of(crossbar, path, layer) for path, layer in layers.items()}
    chosen = {path: design for path, design in designs.items() if design is not None}
    if not chosen:
        raise ValueError("`crossbar` must give at least one layer a design. It gives none.")
    for path, design in chosen.items():
        free.check_design(design, path, how.per_second)
    if free.adc_bits is not None:
        for bits in free.adc_bits:
            around.adc.joules(bits, around.node, around.v_dd)  # says which bits have a price
    converters = any(one.dac is not None or one.adc is not None for one in chosen.values())
    inner = LearnedRanges(net, crossbar) if free.ranges and converters else net
    return crossbar, Designed(inner, starting(free, chosen), free)


def rounded(model: Designed) -> Designed:
    """With whole bits."""
    knobs = {
        name: {path: _whole(knob) for path, knob in each.items()} if name.endswith("_bits") else each
        for name, each in model.knobs.items()
    }
    return Designed(model.model, knobs, model.free)


def _whole(knob: Knob) -> Knob:
    share = (jnp.round(knob.value) - knob.low) / (knob.high - knob.low)
    share = jnp.clip(share, 1e-6, 1 - 1e-6)  # the ends are at infinity
    return knob._replace(place=jnp.log(share / (1 - share)))


def _settled(model: Designed, crossbar: Designs, around: Periphery) -> Descended:
    """The bare model with its design in plain numbers."""
    inner = model.model
    designs = model.plain(crossbar)
    if isinstance(inner, LearnedRanges):
        designs = jax.tree.map(as_number, inner.design(designs))
        inner = inner.model
    numbers = {name: {path: _said(name, knob) for path, knob in each.items()} for name, each in model.knobs.items()}
    return Descended(inner, designs, around, numbers)


def _said(name: str, knob: Knob) -> float:
    return float(round(float(knob.value))) if name.endswith("_bits") else float(knob.value)
