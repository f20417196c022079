"""Training through chips whose energy is part of the loss."""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Key, Num

from ..._checks import TIME, at_least, check, positive, whole, write
from ...nn import at, program
from ...nn._mixed_signal import Designs, design_hint, with_neurons_ramped
from ...train import AbstractHardware, LogUniform, SampledChip
from ...train._hardware import ramped
from ...train._sloped import with_sloped_cells
from .._joules import PERIPHERY, PLAIN, Arranged, arranged_at, measure
from .._periphery import Periphery
from ._designed import Designed

PICOJOULE = 1e-12  # energies enter the loss by their logarithm, in this unit


class PricedChip(AbstractHardware):
    r"""A whole chip a step, as `SampledChip`, whose energy is paid for: the loss is that of the outputs, and

    $$\lambda \ln E, \qquad E = \overline{E}_\mathrm{read} + \frac{E_\mathrm{write}}{r\,T},$$

    with the mean energy of a sample, as `ms.energy.joules` has it, and, where the chip is written anew every $T$
    seconds, a free number of the model, and answers $r$ samples a second, its share of the programming. An e-fold of
    energy is worth $\lambda$ of the loss. Gradients reach the weights, and all numbers of the design that are trained.

    **Arguments:**

    - `crossbar`: As of `SampledChip`.
    - `price`: $\lambda$, at least 0.
    - `periphery`: What surrounds the arrays.
    - `samples`: Of a mini-batch, whose energy is measured.
    - `per_second`: $r$. Without it, or without a free interval $T$, no programming is counted.
    - `time`: Seconds after programming, or `LogUniform`. A model with a free interval has an age of its own, uniform
      within it.
    - `ramp`: As of `SampledChip`.

    >>> import device_models as dm, memsim as ms
    >>> crossbar = ms.Crossbar(dm.pcm_joshi2020(), adc=ms.ADC(8))
    >>> hardware = ms.energy.PricedChip(crossbar, price=0.1)  # goes into `ms.train.fit(..., hardware=hardware)`
    """

    crossbar: Designs
    price: float | Float[Array, ""]
    periphery: Periphery = PLAIN
    samples: int = eqx.field(static=True, default=8)
    per_second: float | None = None
    time: float | LogUniform = 0.0
    ramp: float = 0.0

    def __check_init__(self):
        check(
            self,
            crossbar=write(design_hint),
            price=at_least(0.0, "of the loss, for an e-fold of energy"),
            periphery=PERIPHERY,
            samples=whole(1),
            per_second=positive("inferences a second"),
            time=TIME,
        )
        self._sampled(self.crossbar, self.time)  # says what else must hold

    def sample(self, model: Any, *, strength: Float[Array, ""], key: Key[Array, ""]) -> Any:
        inner, designs, time = self._unfolded(model, key)
        return self._sampled(designs, time).sample(inner, strength=strength, key=key)

    def priced(
        self, model: Any, xs: Num[Array, "batch *sample"], *, strength: Float[Array, ""], key: Key[Array, ""]
    ) -> tuple[Any, Float[Array, ""]]:
        """The `sample` of the same `key`, and the price of the energy that its first samples take."""
        inner, designs, time = self._unfolded(model, key)
        time_key, chip_key = jr.split(key)  # as `SampledChip`
        t = time.draw(key=time_key) if isinstance(time, LogUniform) else jnp.asarray(time)
        program_key, moment_key = jr.split(chip_key)
        chip = program(inner, with_sloped_cells(with_neurons_ramped(designs, strength)), key=program_key)
        moment = at(chip, t, key=moment_key)
        around = model.around(self.periphery) if isinstance(model, Designed) else self.periphery
        arranged = arranged_at(chip, moment, t, around, moment_key)
        found = measure(arranged, around, xs[: self.samples], jr.fold_in(key, 1))
        joules = jnp.sum(found.joules) / found.joules.shape[0] + self._of_writing(model, arranged)
        return ramped(moment, inner, strength), self.price * jnp.log(joules / PICOJOULE)

    def _of_writing(self, model: Any, arranged: Arranged) -> Float[Array, ""] | float:
        """Joules of a sample's share of the programming."""
        interval = model.value("interval") if isinstance(model, Designed) else None
        if self.per_second is None or interval is None:
            return 0.0
        return written(arranged) / (self.per_second * interval)

    def _unfolded(self, model: Any, key: Key[Array, ""]) -> tuple[Any, Designs, Any]:
        """The model without its design, its design, and its age."""
        if not isinstance(model, Designed):
            return model, self.crossbar, self.time
        interval = model.value("interval")
        age = self.time if interval is None else interval * jr.uniform(jr.fold_in(key, 2), dtype=interval.dtype)
        return model.model, model.design(self.crossbar), age

    def _sampled(self, designs: Designs, time: Any) -> SampledChip:
        return SampledChip(crossbar=designs, time=time, ramp=self.ramp)


def written(arranged: Arranged) -> Float[Array, ""]:
    """Joules of writing all layers once."""
    return jnp.sum(jnp.stack([jnp.asarray(each) for each in arranged.writes.values()]))
