"""What a training step samples of the hardware."""

from abc import abstractmethod
from typing import Any, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Key, Num

from device_models._draws import normal

from .._array import AnalogMatrix
from .._checks import LONGEST_TIME, TIME, Must, check, described, fraction, is_known, write
from ..nn import analog_layers, deploy
from ..nn._deploy import digital_weight, replace_weights
from ..nn._mixed_signal import Designs, check_designs, design_hint, with_neurons_ramped
from ._sloped import with_sloped_cells

RAMP = fraction()._replace(what="a fraction of all steps, in [0, 1]")
STD = Must("in [0, 1), relative to the largest weight", lambda std: (std >= 0) & (std < 1), "Percent? Divide by 100.")
ENDS = Must("such that 0 < low < high, in seconds, at most 1e12", lambda t: (t > 0) & (t <= LONGEST_TIME))


class AbstractHardware(eqx.Module):
    """Draws a perturbed model; the step's gradient flows through it to the clean weights, which are updated.

    The perturbation grows linearly from nothing to full strength over the first `ramp` of all steps.

    >>> import device_models as dm, memsim as ms
    >>> hardware = ms.train.SampledChip(ms.Crossbar(dm.pcm_joshi2020()))
    >>> isinstance(hardware, ms.train.AbstractHardware), hardware.ramp
    (True, 0.1)
    """

    ramp: eqx.AbstractVar[float]

    @abstractmethod
    def sample(self, model: Any, *, strength: Float[Array, ""], key: Key[Array, ""]) -> Any:
        """The model one mini-batch sees: one draw for the whole batch, forward and backward."""

    def priced(
        self, model: Any, xs: Num[Array, "batch *sample"], *, strength: Float[Array, ""], key: Key[Array, ""]
    ) -> tuple[Any, Float[Array, ""] | None]:
        """The `sample` of the same `key`, and what the mini-batch `xs` pays for it beside its loss, if anything."""
        return self.sample(model, strength=strength, key=key), None


class GaussianNoise(AbstractHardware):
    r"""$W + \sigma \max |w|\, \xi$: additive noise relative to the largest weight of each bit line, or of the layer.

    The gradient passes the noise, and its size, as if they were constants.

    **Arguments:**

    - `std`: $\sigma$; 0.03 to 0.2 in the literature.
    - `ramp`: Fraction of all steps over which the noise grows to full strength.
    - `relative_to`: The largest weight of the "bit line" or of the whole "layer".

    Reference: Joshi2020; DAgostino2024 for noise relative to the layer.

    >>> import jax.numpy as jnp, jax.random as jr, memsim as ms
    >>> layer = ms.nn.Linear(100, 100, key=jr.key(0))
    >>> noisy = ms.train.GaussianNoise(0.1).sample(layer, strength=jnp.array(1.0), key=jr.key(1))
    >>> relative = (noisy.weight - layer.weight).std(1) / jnp.abs(layer.weight).max(1)
    >>> print(f"{relative.mean():.2f}")
    0.10
    """

    std: float | Float[Array, ""]
    ramp: float = 0.1
    relative_to: Literal["bit line", "layer"] = eqx.field(static=True, default="bit line")

    def __check_init__(self):
        check(self, std=STD, ramp=RAMP)

    def sample(self, model: Any, *, strength: Float[Array, ""], key: Key[Array, ""]) -> Any:
        noisy = {}
        for place, (path, layer) in enumerate(analog_layers(model).items()):
            w = digital_weight(path, layer)
            axis = 1 if self.relative_to == "bit line" else None
            largest = jax.lax.stop_gradient(jnp.max(jnp.abs(w), axis=axis, keepdims=True))
            xi = normal(jr.fold_in(key, place), w.shape, w.dtype, kept=True)
            size = jnp.asarray(strength * self.std, w.dtype)  # of a bit line of zeros nothing, as on a chip
            noisy[path] = w + size * jnp.broadcast_to(largest, w.shape) * xi
        return replace_weights(model, noisy)


class LogUniform(eqx.Module):
    """A time drawn uniformly in its logarithm from `low` to `high` seconds.

    **Arguments:**

    - `low`, `high`: Positive, in seconds.

    >>> import jax, jax.numpy as jnp, jax.random as jr, memsim as ms
    >>> ages = ms.train.LogUniform(1.0, 1e6)
    >>> drawn = jax.vmap(lambda key: ages.draw(key=key))(jr.split(jr.key(0), 1000))
    >>> print(f"{jnp.log10(drawn).mean():.1f}")
    3.0
    """

    low: float
    high: float

    def __check_init__(self):
        check(self, low=ENDS, high=ENDS)
        if is_known(self.low, self.high) and not self.low < self.high:
            raise ValueError(f"`low` and `high` must satisfy 0 < low < high, in seconds. Got {self.low}, {self.high}.")

    def draw(self, *, key: Key[Array, ""]) -> Float[Array, ""]:
        return jnp.exp(jr.uniform(key, minval=jnp.log(self.low), maxval=jnp.log(self.high)))


class SampledChip(AbstractHardware):
    """A whole chip a step: fabricated, written, aged, read through its converters, by the functions that evaluate it.

    With a `LogUniform` time this is drift-aware training: the network meets its own old age. What cells and amplifiers
    do grows from nothing, as do spread and noise of the neurons of a `MixedSignal`. Converters are at full size from
    the first step: their rounding, their clipping and their errors.

    **Arguments:**

    - `crossbar`: The design, or `path, layer -> design | None`.
    - `time`: Seconds after programming, or `LogUniform`.
    - `ramp`: Fraction of all steps over which a chip's deviation from the clean weights grows to full size.

    >>> import device_models as dm, memsim as ms
    >>> design = ms.Crossbar(dm.pcm_joshi2020(), adc=ms.ADC(8))
    >>> ms.train.SampledChip(design, time=ms.train.LogUniform(1.0, 3.15e7)).time.high
    31500000.0
    """

    crossbar: Designs
    time: float | Float[Array, ""] | LogUniform = 0.0
    ramp: float = 0.1

    def __check_init__(self):
        check(self, crossbar=write(design_hint), time=TIME, ramp=RAMP)
        check_designs(self.crossbar)

    def sample(self, model: Any, *, strength: Float[Array, ""], key: Key[Array, ""]) -> Any:
        time_key, chip_key = jr.split(key)
        t = self.time.draw(key=time_key) if isinstance(self.time, LogUniform) else self.time
        chip = deploy(model, with_sloped_cells(with_neurons_ramped(self.crossbar, strength)), t, key=chip_key)
        return ramped(chip, model, strength)


def ramped(chip: Any, model: Any, strength: Float[Array, ""]) -> Any:
    """`chip`, the moment of a `model`, with a share of its deviation from the clean weights."""
    clean = analog_layers(model)
    matrices = {
        path: layer.weight.ramped(digital_weight(path, clean[path]), strength)
        for path, layer in analog_layers(chip).items()
        if isinstance(layer.weight, AnalogMatrix)
    }
    return replace_weights(chip, matrices)


class OnChip(AbstractHardware):
    """A digital or mixed-signal chip of `memsim.chips`: quantisation-aware training through its own arithmetic.

    Every step quantises the weights anew and runs the chip's whole numbers; the derivative is that of the network, with
    its surrogate at the membranes of the chip. What rounds, saturates, or fires late on the chip does so in training.

    **Arguments:**

    - `target`: Such as `memsim.chips.loihi1()`.
    - `input_shape`: Of one step, where the network does not know it: images.

    >>> import memsim as ms
    >>> ms.train.OnChip(ms.chips.loihi1()).target.name
    'loihi1'
    """

    target: Any
    ramp: float = 0.0
    input_shape: int | tuple[int, ...] | None = eqx.field(static=True, default=None)

    def __check_init__(self):
        check(self, ramp=RAMP)
        if not callable(getattr(self.target, "through", None)):
            raise ValueError(
                f"`target` must be a chip of `memsim.chips`. Got {described(self.target)}. "
                "A crossbar goes in a `memsim.train.SampledChip(crossbar)`."
            )

    def check_inputs(self, xs: Any) -> None:
        """Raises `ValueError` for data that are no spikes the chip can take."""
        self.target.check_inputs(xs)

    def sample(self, model: Any, *, strength: Float[Array, ""], key: Key[Array, ""]) -> Any:
        return self.target.through(model, key=key, input_shape=self.input_shape)
