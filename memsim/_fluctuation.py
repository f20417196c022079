"""Read noise that goes on from one time step of a network to the next."""

from typing import Any

import equinox as eqx
import jax
from jaxtyping import Array, Float, Key

from device_models import AbstractNoise

from ._checks import Checked, check, plain, positive, write
from ._lines import beside
from ._mapping._mapping import AbstractMapping


class Correlated(Checked):
    """A setting of a crossbar's reads: noise of the device's variance that moves by `process` in every time step.

    A chip at a moment starts from a stationary state, every sequence read from it from the same one; each step of a
    network moves it on by `dt`. A read outside a network finds the noise of the moment. The state is carried with the
    network's, so a sequence in chunks is the sequence in one piece. It is the price: numbers for every cell and every
    step, and one product a step where other reads take all steps in one.

    **Arguments:**

    - `process`: Such as `device_models.Flicker(1.0, 1e4)` or `device_models.Telegraph(1e-6, 1.0)`.
    - `dt`: Time step of the network, in seconds: that of its neurons.
    """

    process: AbstractNoise
    dt: float = eqx.field(static=True, converter=plain)

    def __check_init__(self):
        check(
            self,
            process=write("Such as `dm.Flicker(1.0, 1e4)`."),
            dt=positive("in seconds", most=1.0, hint="Milliseconds? Multiply by 1e-3."),
        )
        if any(map(eqx.is_array, jax.tree.leaves(self.process))):  # a setting is compiled in, and compared
            raise ValueError(
                f"`process` must have plain numbers, as `1.0`, in its fields. Got arrays in {self.process}. "
                "Write `float(...)` around them."
            )


class Fluctuation(eqx.Module):
    """The moving part of an `AnalogMatrix`.

    **Arguments:**

    - `setting`: How it moves.
    - `state`: Of the noise of each cell.
    - `std`: Of each cell as its bit line sees it, in siemens.
    - `mapping`, `columns`: Which bit lines make a weight.
    - `gain`: ADC codes for one siemens, of each slice.
    """

    setting: Correlated = eqx.field(static=True)
    state: Any
    std: Float[Array, "planes rows lines"]
    mapping: AbstractMapping
    columns: int = eqx.field(static=True, converter=plain)
    gain: Float[Array, "slices 1 1"]

    def weight(self, state: Any) -> Float[Array, "rows columns"]:
        """What the noise in `state` adds to the weight, in ADC codes for one input code."""
        moved = self.mapping.presented(self.std * self.setting.process.value(state), self.columns)
        return beside(moved * self.gain)

    def advance(self, state: Any, *, key: Key[Array, ""]) -> Any:
        """The state one time step later."""
        return self.setting.process.advance(state, self.setting.dt, key=key)
