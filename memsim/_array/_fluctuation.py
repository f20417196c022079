"""Read noise that goes on from one time step of a network to the next."""

from typing import Any

import equinox as eqx
import jax
from jaxtyping import Array, Float, Key

from device_models.noise import AbstractNoise

from .._checks import Checked, check, plain, positive, write
from ._lines import beside, over_tiles, side_by_side
from ._mapping._mapping import AbstractMapping
from ._wires import Sensitivity


class Correlated(Checked):
    """A setting of a crossbar's reads: noise of the device's variance that moves by `process` in every time step.

    A chip at a moment starts from a stationary state, every sequence read from it from the same one; each step of a
    network moves it on by `dt`. A read outside a network, by a converted model or a cell of `memsim.nn` in a loop of
    your own, finds the noise of the moment. Within a step it stands still: its effect is in proportion to the input,
    however that is coded. The state is carried with the network's, so a sequence in chunks is the sequence in one
    piece. It is the price: numbers for every cell and every step, and one product a step where other reads take all
    steps in one.

    **Arguments:**

    - `process`: Such as `device_models.noise.Flicker(1.0, 1e4)` or `device_models.noise.Telegraph(1e-6, 1.0)`.
    - `dt`: Time step of the network, in seconds: that of its neurons.

    >>> import device_models as dm, memsim as ms
    >>> process = dm.noise.Flicker(1.0, 1e4)
    >>> ms.Crossbar(dm.pcm_joshi2020(), reads=ms.Reads(ms.Correlated(process, dt=1e-3))).reads.noise.dt
    0.001
    """

    process: AbstractNoise
    dt: float = eqx.field(static=True, converter=plain)

    def __check_init__(self):
        check(
            self,
            process=write("Such as `dm.noise.Flicker(1.0, 1e4)`."),
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
    - `moves`: How each term of a word line's drive moves with each cell, in siemens.
    - `mapping`, `tile`: Which bit lines make a weight.
    - `gain`: ADC codes for one siemens, of each slice.
    - `sensitivity`: How bit lines follow their cells behind wires; `None` for ideal ones.
    """

    setting: Correlated = eqx.field(static=True)
    state: Any
    moves: tuple[Float[Array, "planes rows lines"], ...]
    mapping: AbstractMapping
    tile: tuple[int, int] = eqx.field(static=True, converter=plain)
    gain: Float[Array, "slices 1 1"]
    sensitivity: Sensitivity | None = None

    def weight(self, state: Any) -> Float[Array, "rows columns"]:
        """What the noise in `state` adds to the weight, in ADC codes for one input code."""
        value = self.setting.process.value(state)
        moved = [self._seen(move * value.astype(move.dtype)) for move in self.moves]
        return beside(side_by_side([self.mapping.presented(term, self.tile[1]) for term in moved]) * self.gain)

    def advance(self, state: Any, *, key: Key[Array, ""]) -> Any:
        """The state one time step later."""
        return self.setting.process.advance(state, self.setting.dt, key=key)

    def _seen(self, moved: Float[Array, "planes rows lines"]) -> Float[Array, "planes rows lines"]:
        """How the conductances change that the word lines see, when the cells have `moved`."""
        if self.sensitivity is None:
            return moved
        seen = moved * self.sensitivity.own
        for mode, response in zip(self.sensitivity.modes, self.sensitivity.responses, strict=True):
            seen = seen + response * over_tiles(mode * moved, self.tile[0])
        return seen
