"""What the word lines of cells with a nonlinear I-V carry, such that a read is still a product.

The current of a cell is a sum of terms, each a function of its conductance times a function of its voltage. So an
array of such cells is several arrays of ohmic ones, stacked along the word lines and driven with those functions of the
voltage.
"""

from abc import abstractmethod

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from device_models.iv import AbstractIV


class AbstractDrive(eqx.Module):
    """The pulses on the word lines of the stacked arrays, a word line's own side by side."""

    iv: eqx.AbstractVar[AbstractIV]
    v_read: eqx.AbstractVar[float | Float[Array, ""]]

    @abstractmethod
    def __call__(self, pulses: Float[Array, "n lines"]) -> Float[Array, "n lines_terms"]:
        """Pulses of the stacked arrays, in the units of `pulses`."""

    @abstractmethod
    def terms(self, g: Float[Array, "*cells"]) -> tuple[Float[Array, "*cells"], ...]:
        """Conductances of the stacked arrays, in siemens, for cells of conductance `g`."""

    @property
    @abstractmethod
    def size(self) -> int:
        """Number of stacked arrays."""

    @property
    @abstractmethod
    def at_full_input(self) -> Float[Array, " terms"]:
        """What the stacked arrays are driven with at full input, in units of it."""


class FixedVoltage(AbstractDrive):
    """Cells see plus or minus `v_read` only, and so have one ohmic conductance for either sign.

    **Arguments:**

    - `iv`: The I-V of the cells.
    - `v_read`: In volts.
    """

    iv: AbstractIV
    v_read: float | Float[Array, ""]

    def __call__(self, pulses: Float[Array, "n lines"]) -> Float[Array, "n lines_terms"]:
        signs = jnp.stack([jnp.maximum(pulses, 0.0), jnp.minimum(pulses, 0.0)], axis=-1)
        return signs.reshape(pulses.shape[0], -1)

    def terms(self, g: Float[Array, "*cells"]) -> tuple[Float[Array, "*cells"], ...]:
        return chord(self.iv, g, self.v_read), chord(self.iv, g, -self.v_read)

    @property
    def size(self) -> int:
        return 2

    @property
    def at_full_input(self) -> Float[Array, " terms"]:
        return jnp.asarray([0.5, 0.5])  # the mean of both signs


class VoltageLevels(AbstractDrive):
    """Cells see a voltage for each code.

    **Arguments:**

    - `iv`: The I-V of the cells.
    - `v_read`: Of the largest code, in volts.
    - `largest`: That code.
    """

    iv: AbstractIV
    v_read: float | Float[Array, ""]
    largest: int = eqx.field(static=True)

    def __call__(self, pulses: Float[Array, "n lines"]) -> Float[Array, "n lines_terms"]:
        volts = self.v_read / self.largest
        return jnp.stack([term / volts for term in self.iv.basis(pulses * volts)], axis=-1).reshape(pulses.shape[0], -1)

    def terms(self, g: Float[Array, "*cells"]) -> tuple[Float[Array, "*cells"], ...]:
        return self.iv.terms(g)

    @property
    def size(self) -> int:
        return len(self.iv.basis(jnp.zeros(())))

    @property
    def at_full_input(self) -> Float[Array, " terms"]:
        return jnp.stack(self.iv.basis(jnp.asarray(self.v_read))) / self.v_read


class RampedDrive(AbstractDrive):
    """What cells see of `drive` where they are nonlinear to a share of `strength`, and ohmic for the rest.

    **Arguments:**

    - `drive`: At full strength.
    - `strength`: From 0 to 1.
    """

    drive: AbstractDrive
    strength: Float[Array, ""]

    @property
    def iv(self) -> AbstractIV:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.drive.iv

    @property
    def v_read(self) -> float | Float[Array, ""]:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.drive.v_read

    def __call__(self, pulses: Float[Array, "n lines"]) -> Float[Array, "n lines_terms"]:
        full = self.drive(pulses)
        ohmic = jnp.expand_dims(pulses, -1) * self.at_full_input.reshape(1, 1, -1)
        return full + (1 - self.strength) * (ohmic.reshape(full.shape) - full)

    def terms(self, g: Float[Array, "*cells"]) -> tuple[Float[Array, "*cells"], ...]:
        return self.drive.terms(g)

    @property
    def size(self) -> int:
        return self.drive.size

    @property
    def at_full_input(self) -> Float[Array, " terms"]:
        return self.drive.at_full_input


def ramped_drive(drive: AbstractDrive, strength: Float[Array, ""]) -> RampedDrive:
    return RampedDrive(drive=drive, strength=strength)  # pyright: ignore[reportCallIssue]


def chord(iv: AbstractIV, g: Float[Array, "*cells"], v: float | Float[Array, ""]) -> Float[Array, "*cells"]:
    """Current over voltage at `v` volts, in siemens."""
    voltage = jnp.asarray(v, g.dtype)
    parts = [jnp.broadcast_to(b / v, g.shape) * term for term, b in zip(iv.terms(g), iv.basis(voltage), strict=True)]
    return sum(parts[1:], start=parts[0])
