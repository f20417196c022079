"""Populations on Neurogrid, one after the other: values in, values out, spikes between."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Num

from ..._checks import check_finite
from .._sums._counts import Counts, beside
from ._rule import Membranes, Soma, step


class PopulationState(eqx.Module):
    """What the synapses hold, and the membranes."""

    held: Float[Array, " dimensions"]
    membranes: Membranes


class PlacedPopulation(eqx.Module):
    """One population of a chip.

    **Arguments:**

    - `encoders`, `bias`: The current of a neuron for a value, with its mismatch.
    - `decoders`: What a spike adds to the outputs, in units of the value times a second.
    - `start`: Membranes before the first step: anywhere, so that neurons do not fire together.
    """

    encoders: Float[Array, "neurons dimensions"]
    bias: Float[Array, " neurons"]
    decoders: Float[Array, "outputs neurons"]
    start: Float[Array, " neurons"]
    core: Int[Array, " neurons"]
    soma: Soma = eqx.field(static=True)
    tau_syn: float = eqx.field(static=True)
    dt: float = eqx.field(static=True)
    cores: int = eqx.field(static=True)

    def initial_state(self) -> PopulationState:
        still = jnp.zeros_like(self.start)
        return PopulationState(jnp.zeros(self.encoders.shape[1]), Membranes(self.start, still))

    def run(
        self, xs: Float[Array, "steps dimensions"], state: PopulationState
    ) -> tuple[Float[Array, "steps outputs"], PopulationState, Counts]:
        """Values of some steps, the state after them, and what happened."""

        def one(before: PopulationState, x: Array) -> tuple[PopulationState, tuple[Array, Array]]:
            held = low_pass(before.held, x, self.tau_syn, self.dt)
            current = self.encoders @ held + self.bias
            membranes, fires = step(self.soma, before.membranes, current, self.dt)
            fired = jax.ops.segment_sum(fires.astype(jnp.int32), self.core, self.cores)
            return PopulationState(held, membranes), (self.decoders @ fires.astype(jnp.float32) / self.dt, fired)

        state, (ys, fired) = jax.lax.scan(one, state, xs)
        return ys, state, Counts(fired * self.decoders.shape[0], jnp.zeros_like(fired), fired, fired)


class PlacedPopulations(eqx.Module):
    """Populations on a chip: `placed(xs)` gives the values that come out, and what happened.

    **Arguments:**

    - `parts`: The populations, with their mismatch.
    - `tau_out`: Time constant of the filter by which the host reads the last of them, in seconds.
    - `target`, `checked`: Name of the chip, and against what it was checked.

    >>> import jax.numpy as jnp, jax.random as jr, memsim as ms
    >>> placed = ms.chips.neurogrid().deploy(ms.chips.Population(64), key=jr.key(0))
    >>> values, counts = placed(jnp.full((50, 1), 0.5))
    >>> values.shape, counts.spikes.shape
    ((50, 1), (50, 1))
    """

    parts: tuple[PlacedPopulation, ...]
    tau_out: float = eqx.field(static=True)
    target: str = eqx.field(static=True)
    checked: str = eqx.field(static=True)

    def __call__(self, xs: Num[Array, "steps dimensions"] | np.ndarray) -> tuple[Float[Array, "steps outputs"], Counts]:
        """The filtered outputs of one recording, and the counts. Use `jax.vmap` for a batch."""
        xs = jnp.asarray(xs, jnp.result_type(float))
        dimensions = self.parts[0].encoders.shape[1]
        if xs.ndim != 2 or xs.shape[1] != dimensions:
            raise ValueError(
                f"`xs` must be one recording (steps, {dimensions}). Got shape {xs.shape}. A batch? Use `jax.vmap`."
            )
        check_finite("xs", xs)
        return self._run(xs)

    @eqx.filter_jit
    def _run(self, xs: Float[Array, "steps dimensions"]) -> tuple[Float[Array, "steps outputs"], Counts]:
        counts = []
        for part in self.parts:
            xs, _, happened = part.run(xs, part.initial_state())
            counts.append(happened)
        return self.filtered(xs), beside(counts, self.target)

    def filtered(self, xs: Float[Array, "steps values"]) -> Float[Array, "steps values"]:
        """As the host reads values."""

        def one(held: Array, x: Array) -> tuple[Array, Array]:
            held = low_pass(held, x, self.tau_out, self.parts[-1].dt)
            return held, held

        return jax.lax.scan(one, jnp.zeros(xs.shape[1]), xs)[1]


def low_pass(
    held: Float[Array, " values"], x: Float[Array, " values"], tau: float, dt: float
) -> Float[Array, " values"]:
    """A first-order filter after one step."""
    kept = float(np.exp(-dt / tau))
    return kept * held + (1 - kept) * x
