"""An analog signal as ON and OFF events."""

import equinox as eqx
from jaxtyping import Array, Float, Shaped

from .._checks import as_floats, check, checked, plain, positive, whole
from ._checks import DURATION, SECONDS, SIGNAL, check_values, whole_steps
from ._crossings import crossings, staircase


class DeltaModulator(eqx.Module):
    """An ON event for each `threshold` that the signal rises above the level of its last event, and OFF when it falls.

    `modulator(signal)` turns (steps, ...) into (steps, ..., 2), ON first; reshape to (steps, -1) for a synapse. The
    first sample is the first level. Every event stands for one threshold, a steep step has several, and nothing is
    lost: the level is always within a threshold of the signal. The events have no gradient. Traced signals are not
    checked.

    **Arguments:**

    - `threshold`: In the unit of the signal.
    - `max_events`: Most events of one polarity in a step; `None` for any number. With 1, spikes are 0/1, and a signal
      faster than a threshold a step leaves the level behind, which then catches up.
    - `refractory`: Time after an event without another, in seconds: a whole number of steps. The level is held at the
      signal meanwhile, as in a circuit held in its reset, so that change is lost; and a step has at most one event.
    - `dt`: Length of a step, in seconds. Only a refractory period needs it.

    >>> import jax.numpy as jnp, memsim as ms
    >>> modulator = ms.encoding.DeltaModulator(threshold=0.5)
    >>> print(modulator(jnp.array([0.0, 1.2, 0.9, 0.2])))  # ON and OFF in each step
    [[0. 0.]
     [2. 0.]
     [0. 0.]
     [0. 1.]]
    """

    threshold: float
    max_events: int | None = eqx.field(static=True, converter=plain, default=None)
    refractory: float = eqx.field(static=True, converter=plain, default=0.0)
    dt: float | None = eqx.field(static=True, converter=plain, default=None)

    def __check_init__(self):
        threshold = positive("in the unit of the signal")
        check(self, threshold=threshold, max_events=whole(1), refractory=DURATION, dt=SECONDS)
        if self.refractory != 0 and self.dt is None:
            raise ValueError(f"`refractory` must come with `dt`, in seconds. Got {self.refractory} without; give dt=.")
        self._hold()

    @checked(signal=SIGNAL)
    def __call__(self, signal: Shaped[Array, "steps *channels"]) -> Float[Array, "steps *channels 2"]:
        signal = as_floats(signal, "signal")
        check_values("signal", signal, -float("inf"), float("inf"), "Fill the gaps first.")
        return crossings(signal, self.threshold, self.threshold, max_events=self.max_events, refractory=self._hold())

    @checked()
    def decode(
        self, events: Shaped[Array, "steps *channels 2"], start: Shaped[Array, "*channels"]
    ) -> Float[Array, "steps *channels"]:
        """The staircase from `start`, the first sample; within a threshold of the signal unless it lags or was held."""
        return staircase(as_floats(events, "events"), as_floats(start, "start"), self.threshold, self.threshold)

    def _hold(self) -> int:
        return 0 if self.dt is None else whole_steps(self.refractory, self.dt)
