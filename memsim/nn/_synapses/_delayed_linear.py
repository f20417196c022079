"""A synapse layer in which every synapse has its own delay."""

from collections.abc import Set
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jax import lax
from jaxtyping import Array, Bool, Float, Int, Key

from ..._array import AnalogMatrix
from ..._checks import at_least, checked, whole
from .._layer import Record, Shape, chosen
from ._delay import DELAYS
from ._delay import delays as checked_delays
from ._lanes import in_lanes, spread_lanes
from ._synapse import AbstractAnalog, Weight, moved, noise_state, opened


class DelayedLinear(AbstractAnalog):
    r"""$y_j(t) = \sum_i W_{ji}\, x_i(t - d_{ji}) + b_j$, one delay a synapse; zeros before the start of the sequence.

    On a crossbar a synapse is still one cell pair, behind its own delay element: the currents of all delays are summed
    on the bit line, before its converter. The state holds the last inputs. With `record="inputs"` a step's record is
    what drives the elements, (in_features * (longest + 1)), the delay running fastest.

    **Arguments:**

    - `in_features`, `out_features`: Numbers of inputs and outputs.
    - `delays`: $d$ in time steps of at least 0: one number, or an array (out_features, in_features).
    - `longest`: The longest delay there may be, in steps; that of `delays` by default.
    - `use_bias`, `gain`, `key`: As for `Linear`.

    Memory grows as the inputs times the longest delay. Reference: DAgostino2024.

    >>> import jax.numpy as jnp, jax.random as jr, memsim as ms
    >>> layer = ms.nn.DelayedLinear(1, 2, jnp.array([[0], [2]]), use_bias=False, key=jr.key(0))
    >>> y = ms.nn.SpikingNetwork([layer])(jnp.array([[1.0], [0.0], [0.0]]))
    >>> print(y != 0)
    [[ True False]
     [False False]
     [False  True]]
    """

    weight: Weight
    bias: Float[Array, " outputs"] | None
    delays: Int[Array, "outputs inputs"]
    in_features: int = eqx.field(static=True)
    out_features: int = eqx.field(static=True)
    longest: int = eqx.field(static=True)

    @checked(in_features=whole(1), out_features=whole(1), delays=DELAYS, longest=whole(0), gain=at_least(0.0))
    def __init__(
        self,
        in_features: int,
        out_features: int,
        delays: int | Int[Array, "outputs inputs"] | np.ndarray,
        *,
        longest: int | None = None,
        use_bias: bool = True,
        gain: float = 1.0,
        key: Key[Array, ""],
    ):
        self.weight = gain / in_features**0.5 * jr.normal(key, (out_features, in_features))
        self.bias = jnp.zeros(out_features) if use_bias else None
        self.delays, self.longest = checked_delays("delays", delays, (out_features, in_features), longest)
        self.in_features = int(in_features)
        self.out_features = int(out_features)

    def initial_state(self) -> tuple[Float[Array, "longest inputs"], Any]:
        return jnp.zeros((self.longest, self.in_features)), noise_state(self)

    def output_shape(self, shape: Shape | None) -> Shape | None:
        if shape is not None and shape != (self.in_features,):
            raise ValueError(f"must take an input of shape {(self.in_features,)}. Got {shape}.")
        return (self.out_features,)

    def run(
        self,
        xs: Float[Array, "steps inputs"],
        state: tuple[Float[Array, "longest inputs"], Any],
        *,
        keys: Key[Array, " steps"] | None = None,
        record: Set[str] = frozenset(),
    ) -> tuple[Float[Array, "steps outputs"], Any, Record]:
        last, noise = state
        history = jnp.concatenate([last, xs])
        digital = None if isinstance(self.weight, eqx.Module) else self.weight
        lines = None if digital is not None and "inputs" not in record else self._lines(history)
        if noise is not None:
            ys, noise = self._through_noise(lines, noise, keys)
        elif digital is not None:
            ys = self._digital(digital, history)
        else:
            ys = jax.vmap(lambda line, key: self._read(self.weight, line, key))(lines, keys)
        ys = ys if self.bias is None else ys + jnp.broadcast_to(self.bias, ys.shape)
        return ys, (history[xs.shape[0] :], noise), chosen(record, inputs=lines)

    def _through_noise(self, lines: Any, noise: Any, keys: Any) -> tuple[Array, Any]:
        """The reads of all steps, one after the other, with noise that moves between them."""

        def one(noise: Any, inputs: Any) -> tuple[Any, Array]:
            line, key = inputs
            weight, noise = moved(self.weight, noise, key)
            return noise, self._read(weight, line, key)

        noise, ys = jax.lax.scan(one, noise, (lines, keys))
        return ys, noise

    def _read(self, weight: Any, line: Float[Array, " lines"], key: Any) -> Float[Array, " outputs"]:
        """The product of one step, by cells that each meet an input of their own age."""
        matrix, line, key = opened(weight, line, key)
        if isinstance(matrix, AnalogMatrix):
            return self.as_wired(matrix)(line, key=key)
        return line @ spread_lanes(matrix.T, self._meets())

    def word_lines(self, x: Float[Array, " lines"]) -> Float[Array, "1 lines"]:
        return x[None]

    def as_wired(self, matrix: AnalogMatrix) -> AnalogMatrix:
        return in_lanes(matrix, self._meets())

    def _meets(self) -> Bool[Array, "inputs delays outputs"]:
        """Which cells meet an input of which age."""
        ages = jnp.arange(self.longest + 1, dtype=self.delays.dtype).reshape(1, -1, 1)
        shape = (self.in_features, self.longest + 1, self.out_features)
        return jnp.broadcast_to(ages, shape) == jnp.broadcast_to(jnp.expand_dims(self.delays.T, 1), shape)

    def _lines(self, history: Float[Array, "all inputs"]) -> Float[Array, "steps lines"]:
        """The inputs of every age at each step."""
        steps = history.shape[0] - self.longest
        views = [history[self.longest - age : self.longest - age + steps] for age in range(self.longest + 1)]
        return jnp.stack(views, axis=2).reshape(steps, -1)

    def _digital(self, weight: Array, history: Float[Array, "all inputs"]) -> Float[Array, "steps outputs"]:
        """As a convolution over time, which needs no copy of the inputs for each age."""
        by_age = spread_lanes(weight.T, self._meets()).reshape(self.in_features, self.longest + 1, -1)
        kernel = jnp.flip(by_age.transpose(2, 0, 1), axis=2)
        return lax.conv_general_dilated(history.T[None], kernel, (1,), "VALID")[0].T
