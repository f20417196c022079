"""A network on a chip: called as the network is, on spikes, in the chip's own arithmetic."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Key, Num

from ..._checks import check_finite, is_known
from ...nn._layer import Shape, child_keys, step_keys
from .._sums._counts import Counts, beside
from .._sums._quantised import Quantised
from ._part import AbstractPart, State


class Placed(eqx.Module):
    """A network on a chip. `placed(x, key=key)` gives what it gives out, and what happened on the cores.

    Under `jax.jit` and `jax.vmap` numbers are hidden: `placed.check_inputs(xs)` looks at a batch before.

    **Arguments:**

    - `parts`: Its layers, in the chip's whole numbers.
    - `target`: Name of the chip.
    - `checked`: Against what the arithmetic was checked.
    - `quantised`: What became of the weights, by layer.
    - `input_shape`: Of one step.
    - `most_input`: The largest number of spikes an input has in one step.
    - `waits`: Of each layer, steps after which its inputs act, beyond those that they wait in the network.

    >>> import jax.numpy as jnp, jax.random as jr, memsim as ms
    >>> neuron = ms.nn.CuBaLIF(3, firing=ms.nn.Firing(reset="zero"))
    >>> network = ms.nn.SpikingNetwork([ms.nn.Linear(4, 3, key=jr.key(0)), neuron])
    >>> placed = ms.chips.loihi1().deploy(network, input_shape=4)
    >>> spikes, counts = placed(jnp.ones((10, 4)))
    >>> spikes.shape, int(counts.messages.sum())  # inputs that arrived
    ((10, 3), 40)
    """

    parts: tuple[AbstractPart, ...]
    quantised: tuple[Quantised, ...]
    target: str = eqx.field(static=True)
    checked: str = eqx.field(static=True)
    input_shape: Shape = eqx.field(static=True)
    most_input: int = eqx.field(static=True)
    waits: tuple[int, ...] = eqx.field(static=True)

    @property
    def delay(self) -> int:
        """Steps by which outputs come later than the network's own."""
        return sum(self.waits)

    def __call__(
        self, x: Num[Array, "steps *inputs"] | np.ndarray, *, key: Key[Array, ""] | None = None
    ) -> tuple[Int[Array, "steps outputs"] | Float[Array, "steps outputs"], Counts]:
        """All steps of one recording: the spikes, or the membranes of a readout in the network's units, and the counts.

        Inputs are spikes, or numbers of them, up to `most_input` a step. Chips with noise need `key`. Use `jax.vmap`
        for a batch. Raises `ValueError` for inputs that are no spikes, and for another shape.
        """
        return self._run(self._as_spikes(x), key)

    @eqx.filter_jit
    def _run(self, xs: Int[Array, "steps inputs"], key: Key[Array, ""] | None) -> tuple[Array, Counts]:
        outputs, _, counts = self.run(xs, self.initial_state(), key=key)
        return outputs, counts

    def initial_state(self) -> tuple[State, ...]:
        return tuple(part.initial_state() for part in self.parts)

    def step(
        self, x: Num[Array, "*inputs"], state: tuple[State, ...], *, key: Key[Array, ""] | None = None
    ) -> tuple[Array, tuple[State, ...], Counts]:
        """One step: what is given out, the new state, and the counts of the step.

        Step t of a whole recording with `key` is this with `key=jax.random.fold_in(key, t)`.
        """
        xs = self._as_spikes(jnp.asarray(x)[None])
        outputs, state, counts = self.run(xs, state, keys=None if key is None else key[None])
        return outputs[0], state, jax.tree.map(lambda each: each[0], counts)

    def run(
        self,
        xs: Int[Array, "steps inputs"],
        state: tuple[State, ...],
        *,
        key: Key[Array, ""] | None = None,
        keys: Key[Array, " steps"] | None = None,
    ) -> tuple[Array, tuple[State, ...], Counts]:
        """Some steps from `state`, of inputs that are spikes already."""
        keys = step_keys(key, xs.shape[0]) if keys is None else keys
        states, counts = [], []
        for place, (part, before) in enumerate(zip(self.parts, state, strict=True)):
            ran = part.run(xs, before, keys=child_keys(keys, place))
            xs = ran.stepped.outputs
            states.append(ran.state)
            counts.append(ran.counts)
        last = self.parts[-1]
        return xs if last.spiking else last.in_network_units(xs), tuple(states), beside(counts, self.target)

    def _as_spikes(self, x: Any) -> Int[Array, "steps inputs"]:
        x = jnp.asarray(x)
        if x.shape[1:] != self.input_shape:
            raise ValueError(
                f"`x` must be one recording (steps, {', '.join(map(str, self.input_shape))}). Got shape {x.shape}. "
                "A batch? Use `jax.vmap`."
            )
        self.check_inputs(x)
        return x.astype(jnp.int32).reshape(x.shape[0], -1)

    def check_inputs(self, x: Num[Array | np.ndarray, "..."]) -> None:
        """Raises `ValueError` for inputs, known here, that are no spikes: `jax.jit` and `jax.vmap` hide them."""
        check_spikes(x, self.target, self.most_input)


def check_spikes(x: Num[Array | np.ndarray, "..."], chip: str, most: int) -> None:
    """Raises `ValueError` for inputs, known here, that are no spikes, or more than a chip can take in a step."""
    check_finite("x", x)
    if is_known(x) and not _are_counts(np.asarray(x), most):
        raise ValueError(
            f"`x` must be spikes for {chip}: whole numbers from 0 to {most} a step. Got numbers from {np.min(x):g} to "
            f"{np.max(x):g}. Encode signals by `memsim.encoding`."
        )


def _are_counts(x: np.ndarray, most: int) -> bool:
    return x.dtype == bool or bool(((x >= 0) & (x <= most) & (x == np.trunc(x))).all())


def as_network_outputs(
    placed: Placed, x: Num[Array, "steps *inputs"], *, key: Key[Array, ""] | None = None
) -> tuple[Float[Array, "steps outputs"], Counts]:
    """What `placed` gives out, as floats at the steps at which the network would: late outputs are moved back."""
    quiet = jnp.zeros((placed.delay, *x.shape[1:]), x.dtype)
    outputs, counts = placed(jnp.concatenate([x, quiet]), key=key)
    return outputs[placed.delay :].astype(jnp.result_type(float)), counts
