"""A network of continuous values on a chip: called on many inputs at once, in the chip's own arithmetic."""

from abc import abstractmethod
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, Int, Key, Num

from ..._checks import check_finite, is_known
from ...nn._layer import Shape
from .._sums._counts import Counts, beside
from .._sums._quantised import Quantised


class AbstractRatePart(eqx.Module):
    """A matrix on a chip, and what follows it."""

    path: eqx.AbstractVar[str]

    @abstractmethod
    def __call__(
        self, xs: Int[Array, "samples inputs"], *, key: Key[Array, ""] | None
    ) -> tuple[Int[Array, "samples outputs"], Counts]:
        """The codes of its outputs, and what happened."""


def happened(xs: Int[Array, "samples inputs"], weight: Int[Array, "outputs inputs"], ys: Int[Array, "..."]) -> Counts:
    """For each sample, on one core: synapses reached, outputs, and how many of them and of the inputs are not zero."""
    active = (xs != 0).astype(jnp.int32)
    used = jnp.sum(weight != 0, axis=0, dtype=jnp.int32)
    events = jnp.sum(active * used[None], axis=1, keepdims=True, dtype=jnp.int32)
    spikes, messages = (jnp.sum(each != 0, axis=1, keepdims=True, dtype=jnp.int32) for each in (ys, xs))
    return Counts(events, jnp.full_like(events, weight.shape[0]), spikes, messages)


class PlacedRates(eqx.Module):
    """A network of continuous values on a chip: `placed(xs, key=key)` gives its outputs, and what happened.

    **Arguments:**

    - `parts`: Its layers, in the chip's whole numbers.
    - `quantised`: What became of the weights, by layer.
    - `input_unit`: What an input of one is in the network's numbers.
    - `unit`, `rest`: An output of the network is `unit` times that of the chip, plus `rest`.
    - `target`: Name of the chip.
    - `checked`: Against what the arithmetic was checked.
    - `input_shape`: Of one input.
    - `smallest_input`, `largest_input`: That the chip takes.
    - `relu`: Whether the network ends in a ReLU.

    >>> import equinox as eqx, jax, jax.numpy as jnp, jax.random as jr, memsim as ms
    >>> mlp = eqx.nn.MLP(4, 3, 8, 1, key=jr.key(0))
    >>> xs = jr.uniform(jr.key(1), (16, 4))
    >>> outputs, counts = ms.chips.akida().deploy(mlp, calibration=xs)(xs)
    >>> bool(jnp.abs(outputs - jax.vmap(mlp)(xs)).max() < 0.05)
    True
    """

    parts: tuple[AbstractRatePart, ...]
    quantised: tuple[Quantised, ...]
    input_unit: Float[Array, ""]
    unit: Float[Array, ""]
    rest: Float[Array, "..."]
    target: str = eqx.field(static=True)
    checked: str = eqx.field(static=True)
    input_shape: Shape = eqx.field(static=True)
    smallest_input: int = eqx.field(static=True)
    largest_input: int = eqx.field(static=True)
    relu: bool = eqx.field(static=True)

    def __call__(
        self, xs: Num[Array, "samples *inputs"] | np.ndarray, *, key: Key[Array, ""] | None = None
    ) -> tuple[Float[Array, "samples outputs"], Counts]:
        """The outputs in the network's numbers, and the counts of each sample. A chip with noise needs `key`.

        Inputs beyond what the calibration had saturate. Raises `ValueError` for another shape, and for negative inputs
        where the chip has none.
        """
        xs = jnp.asarray(xs)
        if xs.shape[1:] != self.input_shape:
            raise ValueError(
                f"`xs` must be samples (samples, {', '.join(map(str, self.input_shape))}). Got shape {xs.shape}. "
                "One? Write `xs[None]`."
            )
        self.check_inputs(xs)
        return self._run(xs, key)

    def check_inputs(self, xs: Num[Array, "..."]) -> None:
        """Raises `ValueError` for inputs, known here, that the chip cannot hear."""
        check_finite("xs", xs)
        check_sign("xs", xs, self.smallest_input, self.target)

    @eqx.filter_jit
    def _run(self, xs: Num[Array, "samples *inputs"], key: Key[Array, ""] | None) -> tuple[Array, Counts]:
        codes = as_codes(xs.reshape(xs.shape[0], -1), self.input_unit, self.smallest_input, self.largest_input)
        counts = []
        for place, part in enumerate(self.parts):
            codes, happened = part(codes, key=None if key is None else jr.fold_in(key, place))
            counts.append(happened)
        outputs = codes.astype(self.unit.dtype) * self.unit + jnp.broadcast_to(self.rest, codes.shape)
        return jax.nn.relu(outputs) if self.relu else outputs, beside(counts, self.target)


def as_codes(xs: Num[Array, "*shape"], unit: Float[Array, ""], smallest: int, largest: int) -> Int[Array, "*shape"]:
    """Rounded to the nearest whole number of units, ties to even."""
    return jnp.clip(jnp.round(xs / unit), smallest, largest).astype(jnp.int32)


def range_unit(values: Float[Array, "..."], largest: int) -> Float[Array, ""]:
    """The unit with which the largest value is the largest code."""
    return jnp.maximum(jnp.max(jnp.abs(values)), jnp.finfo(values.dtype).tiny * largest) / largest


def check_sign(name: str, xs: Any, smallest: int, target: str) -> None:
    """Raises `ValueError` for known negative inputs of a chip that has none."""
    if smallest == 0 and is_known(xs) and np.size(xs) > 0 and np.min(np.asarray(xs)) < 0:
        raise ValueError(
            f"`{name}` must be at least 0 for {target}, whose inputs have no sign. Got {np.min(np.asarray(xs)):g}. "
            "Train on inputs shifted above zero, or on `relu(x)` and `relu(-x)` side by side."
        )
