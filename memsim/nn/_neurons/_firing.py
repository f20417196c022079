"""The one rule by which a membrane fires and is reset, with the settings that libraries differ in."""

from collections.abc import Callable
from typing import Literal, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Inexact, Int

from ..._checks import Must, check, plain, that, whole
from ._surrogate import AbstractSurrogate, SuperSpike, spikes_of

REFRACTORY = that(
    "a time of at least 0 seconds and at most 0.5",
    lambda x: (x >= 0) & (x <= 0.5),
    hint="Milliseconds? Multiply by 1e-3.",
)


class Membrane(NamedTuple):
    """A membrane as its step left it, before any reset.

    `wait` counts the steps of a refractory period that are still to come, this one included; a membrane with none may
    fire. It is `None` without a refractory period.
    """

    membrane: Inexact[Array, "*shape"]
    wait: Int[Array, "*shape"] | None


class Firing(eqx.Module):
    r"""How a membrane $u$ fires at its threshold $\theta$, and what that does to it.

    A step first resets what has fired, then integrates the input, and then fires $s = H(u - \theta)$. With several
    spikes a step, $s$ is the number of thresholds below $u$, at most `max_spikes`. The state is the membrane before its
    reset, so that a recorded trace shows the crossing. The gradient does not flow through the reset (Zenke2021); it
    flows through $s$ by the surrogate. A membrane that is not finite fires NaN, and stays so.

    **Arguments:**

    - `reset`: "subtract" takes $s\,\theta$ off, "zero" sets the membrane to the neuron's `v_reset`, "none" leaves it.
    - `delay`: 0 resets before the membrane decays, 1 subtracts one step later, from the decayed membrane. A reset to a
      value is the same for both.
    - `emit`: Whether the output of a step is the spike of the "new" membrane, or of the "old" one before the step,
      which gives the same spikes one step late.
    - `max_spikes`: Largest number of spikes a step.
    - `refractory`: Time after a spike during which the membrane stays at its reset value and input is lost, in seconds:
      a whole number of steps.
    - `surrogate`: Slope of the spike in the backward pass.
    - `at_threshold`: Whether a membrane at exactly its threshold "fires" (SpikingJelly, sinabs, rockpool, snnax) or is
      "silent" (snnTorch, norse, Spyx, jaxpike, hxtorch, and the equations of NIR). Weights on a grid meet thresholds
      exactly, and often. With several spikes a step it holds for each multiple of the threshold.

    >>> import jax.numpy as jnp, numpy as np, memsim as ms
    >>> def steps(firing):
    ...     return np.flatnonzero(ms.nn.SpikingNetwork([ms.nn.IF(1, firing=firing)])(jnp.full((8, 1), 0.75)))
    >>> print(steps(ms.nn.Firing()), steps(ms.nn.Firing(reset="zero")), steps(ms.nn.Firing(refractory=2e-3)))
    [1 2 4 5 6] [1 3 5 7] [1 4]
    """

    reset: Literal["subtract", "zero", "none"] = eqx.field(static=True, default="subtract")
    delay: Literal[0, 1] = eqx.field(static=True, default=0)
    emit: Literal["new", "old"] = eqx.field(static=True, default="new")
    max_spikes: int = eqx.field(static=True, default=1, converter=plain)
    refractory: float = eqx.field(static=True, default=0.0, converter=plain)
    surrogate: AbstractSurrogate = SuperSpike()
    at_threshold: Literal["silent", "fires"] = eqx.field(static=True, default="silent")

    def __check_init__(self):
        check(
            self,
            reset=Must('one of "subtract", "zero" or "none"'),
            delay=Must("one of 0 or 1 steps"),
            emit=Must('one of "new" or "old"'),
            max_spikes=whole(1)._replace(what="at least 1, a whole number"),
            refractory=REFRACTORY,
        )
        if self.refractory > 0 and self.reset == "none":
            raise ValueError(f'`refractory` must be 0 with reset="none". Got {self.refractory}; choose another reset.')

    def initial(self, membrane: Inexact[Array, "*shape"]) -> Membrane:
        """The state of membranes that have not fired."""
        return Membrane(membrane, jnp.zeros(membrane.shape, int) if self.refractory > 0 else None)

    def spikes(self, state: Membrane, threshold: Float[Array, "..."]) -> Float[Array, "*shape"]:
        """How often each membrane fires, with the surrogate's gradient; the real part of a complex one."""
        membrane, included = jnp.real(state.membrane), self.at_threshold == "fires"
        if self.max_spikes == 1:
            spikes = spikes_of(self.surrogate, membrane - threshold, at_zero=included)
        else:
            ratio = jax.lax.stop_gradient(membrane / threshold)
            over = membrane - jnp.clip(jnp.round(ratio), 1, self.max_spikes) * threshold  # over the nearest threshold
            below = jnp.clip(jnp.floor(ratio) if included else jnp.ceil(ratio) - 1, 0, self.max_spikes)
            spikes = spikes_of(self.surrogate, over, at_zero=included)
            spikes = spikes + jax.lax.stop_gradient(below - spikes)
        return spikes if state.wait is None else jnp.where(state.wait == 0, spikes, jnp.zeros_like(spikes))

    def rested(
        self,
        state: Membrane,
        fired: Float[Array, "*shape"],
        threshold: Float[Array, "..."],
        v_reset: Inexact[Array, "..."],
    ) -> Inexact[Array, "*shape"]:
        """The membranes from which a step integrates, after what has `fired` is reset."""
        if self.reset == "subtract" and self.delay == 1:
            return state.membrane
        return self._reset(state.membrane, jax.lax.stop_gradient(fired), threshold, v_reset)

    def advance(
        self,
        state: Membrane,
        fired: Float[Array, "*shape"],
        threshold: Float[Array, "..."],
        v_reset: Inexact[Array, "..."],
        dt: float,
        integrate: Callable[[Array], Array],
    ) -> Membrane:
        """Resets what has `fired`, then integrates one step."""
        membrane = integrate(self.rested(state, fired, threshold, v_reset))
        fired = jax.lax.stop_gradient(fired)
        if self.reset == "subtract" and self.delay == 1:
            membrane = membrane - (fired * threshold).astype(membrane.dtype)
        if state.wait is None:
            return Membrane(membrane, None)
        wait = jnp.where(fired > 0, round(self.refractory / dt), jnp.maximum(state.wait - 1, 0))
        wait = jnp.where(jnp.isfinite(membrane), wait, 0)  # so that what is not finite is neither held nor silent
        held = self._reset(state.membrane, fired, threshold, v_reset)
        return Membrane(jnp.where(wait > 0, held, membrane), wait)

    def check_step(self, dt: float) -> None:
        """Raises `ValueError` unless the refractory period is a whole number of steps."""
        steps = self.refractory / dt
        if abs(steps - round(steps)) > 1e-6 * max(1.0, steps):
            raise ValueError(
                f"`refractory` must be a whole number of time steps, both in seconds. Got {self.refractory} with "
                f"dt={dt}, which is {steps:.6g} steps."
            )

    def check_value_reset(self, neuron: str) -> None:
        """Raises `ValueError` unless a single spike a step sets the membrane to a value."""
        if self.reset != "zero" or self.max_spikes != 1:
            raise ValueError(
                f'{neuron} must fire once a step and be set to a value: `Firing(reset="zero")`. '
                f"Got reset={self.reset!r} and max_spikes={self.max_spikes}."
            )

    def _reset(self, membrane: Array, fired: Array, threshold: Array, v_reset: Array) -> Array:
        if self.reset == "subtract":
            return membrane - (fired * threshold).astype(membrane.dtype)
        if self.reset == "zero":
            return jnp.where(fired > 0, v_reset.astype(membrane.dtype), membrane)
        return membrane
