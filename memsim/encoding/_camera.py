"""A video as the events of an event camera."""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Key, Shaped

from device_models._draws import normal

from .._checks import as_floats, at_least, check, checked, plain, positive, whole
from ._checks import DURATION, SECONDS, SIGNAL, check_values, whole_steps
from ._crossings import crossings, staircase
from ._rate import bernoulli

Contrast = float | Float[Array, "height width"]


class EventCamera(eqx.Module):
    """Pixels that report each change of their log intensity by a threshold, as a dynamic vision sensor does.

    `camera(frames)` turns intensities (steps, height, width) into events (steps, height, width, 2), ON first, several a
    step where the change is large. The first frame is the first level. The events have no gradient. Traced frames are
    not checked.

    **Arguments:**

    - `dt`: Time between frames, in seconds.
    - `on`, `off`: Contrast thresholds, changes of the natural logarithm; one each, or one a pixel (see `fabricate`).
    - `dark`: Added to the intensity before the logarithm, in its unit: dark current, below which a pixel is blind.
    - `refractory`: Time after an event for which a pixel is held in reset and blind, in seconds: a whole number of
      frames. A step then has at most one event.
    - `leak_rate`: Rate of the ON events of a pixel that sees no change, in Hz: its level leaks.
    - `bandwidth`: At which the photoreceptor, a low-pass filter of first order of the log intensity, has lost 3 dB, in
      Hz; `None` for one that follows at once. It falls in the dark; here it is the same for all intensities.
    - `noise_rate`: Rate of random events, in Hz, half of each polarity. They are added on the way out of the pixel, and
      leave its level alone.

    Reference: Lichtsteiner2008. The default thresholds and `dark`, for frames in [0, 1], are assumed.

    >>> import jax.numpy as jnp, memsim as ms
    >>> camera = ms.encoding.EventCamera(dt=1e-3)
    >>> frames = jnp.stack([jnp.full((2, 2), 0.2), jnp.full((2, 2), 0.5)])
    >>> print(camera(frames)[1, 0, 0])  # ON and OFF events of a pixel: log(0.51 / 0.21) is 4.4 thresholds
    [4. 0.]
    """

    dt: float = eqx.field(static=True, converter=plain)
    on: Contrast = 0.2
    off: Contrast = 0.2
    dark: float = 0.01
    refractory: float = eqx.field(static=True, converter=plain, default=0.0)
    leak_rate: float = eqx.field(static=True, converter=plain, default=0.0)
    noise_rate: float = eqx.field(static=True, converter=plain, default=0.0)
    bandwidth: float | None = eqx.field(static=True, converter=plain, default=None)

    def __check_init__(self):
        contrast, hertz = positive("a change of log intensity"), at_least(0.0, "in Hz")
        dark = positive("in the unit of the frames")
        check(
            self,
            dt=SECONDS,
            on=contrast,
            off=contrast,
            dark=dark,
            refractory=DURATION,
            leak_rate=hertz,
            noise_rate=hertz,
            bandwidth=positive("in Hz"),
        )
        whole_steps(self.refractory, self.dt)
        for name, rate in (("leak_rate", self.leak_rate), ("noise_rate", self.noise_rate)):
            if rate * self.dt > 1:
                raise ValueError(
                    f"`{name}` must be at least 0, and at most one event a frame. Got {rate} Hz with dt={self.dt} s. "
                    "Milliseconds? Multiply by 1e-3."
                )

    @checked(height=whole(1), width=whole(1), std=at_least(0.0, "a change of log intensity"))
    def fabricate(self, height: int, width: int, *, std: float, key: Key[Array, ""]) -> "EventCamera":
        """One camera of this design: its pixels' thresholds are drawn once, with standard deviation `std`.

        A threshold is at least a tenth of the design's, so that no pixel fires without end.
        """
        on, off = (
            jnp.maximum(nominal + std * normal(k, (height, width)), 0.1 * nominal)
            for nominal, k in zip((self.on, self.off), jr.split(key), strict=True)
        )
        return eqx.tree_at(lambda camera: (camera.on, camera.off), self, (on, off))

    @checked(frames=SIGNAL)
    def __call__(
        self, frames: Shaped[Array, "steps height width"], *, key: Key[Array, ""] | None = None
    ) -> Float[Array, "steps height width 2"]:
        """The events; `key` draws the random ones."""
        frames = as_floats(frames, "frames")
        check_values("frames", frames, 0.0, float("inf"), "They are intensities, not their logarithm.")
        leak = self.leak_rate * self.dt * self.on
        hold = whole_steps(self.refractory, self.dt)
        seen = self._filtered(jnp.log(frames + self.dark))
        events = crossings(seen, self.on, self.off, refractory=hold, leak=leak)
        if self.noise_rate == 0:
            return events
        if key is None:
            raise ValueError("A camera with a `noise_rate` needs `camera(frames, key=...)`. Got no key. Pass one.")
        p = -jnp.expm1(jnp.full_like(events, -self.noise_rate * self.dt / 2))
        return events + bernoulli(p, key=key)

    def _filtered(self, signal: Float[Array, "steps height width"]) -> Float[Array, "steps height width"]:
        """What the photoreceptor makes of the log intensity; it starts at the first frame."""
        if self.bandwidth is None:
            return signal
        share = -math.expm1(-2 * math.pi * self.bandwidth * self.dt)

        def step(v: Array, x: Array) -> tuple[Array, Array]:
            v = v + share * (x - v)
            return v, v

        return jax.lax.scan(step, signal[0], signal)[1]

    @checked()
    def decode(
        self, events: Shaped[Array, "steps height width 2"], start: Shaped[Array, "height width"]
    ) -> Float[Array, "steps height width"]:
        """Intensities from the frame `start` on.

        Their logarithm, with `dark` added, is within a threshold of that of the frames, unless events were random,
        leaked, were lost in a refractory period, or a `bandwidth` kept the pixel from following.
        """
        events, start = as_floats(events, "events"), as_floats(start, "start")
        return jnp.exp(staircase(events, jnp.log(start + self.dark), self.on, self.off)) - self.dark
