"""Many chips, made once and mended in several ways: the compiled core of `compare`."""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
from jaxtyping import Array, Float, Int, Key

from .._keeping import progress
from ..nn._mixed_signal import Designs
from ..study import Outcome
from ..study._chips import aged, programmed
from ..study._devices import over_chips
from ..study._right import judged
from ..train._evaluate import predictions
from ..train._memory import MEMORY
from ..train._objective import class_scores
from ..train._samples import Samples
from ._remedy import AbstractRemedy, Case, Repair

MEND = 7  # folded into the key of a chip's life, for what mends it
BLOCK = 32  # chips that are held in memory at a time


class Asked(NamedTuple):
    """What every chip is asked: it is mended at the first of the times, and judged at all."""

    model: Any
    crossbar: Designs
    train: Samples
    test: Samples
    times: Float[Array, " times"]
    probes: dict[str, Array]


class Found(NamedTuple):
    """Of mended chips: what is right, the loss of each recording, and how many weights were written again."""

    outcome: Outcome
    loss: Float[Array | np.ndarray, "chips times recordings"]
    writes: Float[Array | np.ndarray, " chips"]


class Made(NamedTuple):
    """Chips with their moments at all times, one behind the other, and the keys of their lives and reads."""

    chip: Any
    moments: Any
    life: Key[Array, " chips"]
    reads: Key[Array, "chips times"]

    def of(self, number: Int[Array, ""]) -> "Made":
        """One of the chips."""
        return jax.tree.map(lambda leaf: leaf[number] if eqx.is_array(leaf) else leaf, self)

    def at(self, place: Int[Array, ""]) -> Any:
        """Of one chip, the moment at that place of the times."""
        return jax.tree.map(lambda leaf: leaf[place] if eqx.is_array(leaf) else leaf, self.moments)


class Chips:
    """So many chips in blocks, of which one is in memory at a time; the first block is made at once."""

    def __init__(self, asked: Asked, chips: int, key: Key[Array, ""], chunk: int):
        self.asked, self.chips, self.key, self.chunk = asked, chips, key, chunk
        self.size = min(BLOCK, chips)
        self._block = self._made(0)

    def _made(self, start: int) -> Made:
        numbers = jnp.minimum(jnp.arange(start, start + self.size), self.chips - 1)
        return fabricated(self.asked, numbers, self.key, chunk=self.chunk)

    @property
    def first(self) -> Made:
        """The first chip."""
        return self._block.of(jnp.zeros((), int))

    def outcomes(self, planned: dict[str, AbstractRemedy]) -> tuple[Found, dict[str, Found]]:
        """Chips as they are, and mended by each remedy; a line says how far it is, where a person looks."""
        ways: dict[str | None, AbstractRemedy | None] = {None: None, **planned}
        parts: dict[str | None, list[Found]] = {name: [] for name in ways}
        starts = range(0, self.chips, self.size)
        with progress("remedy", len(ways) * len(starts), words="compiling") as show:
            for block, start in enumerate(starts):
                self._block = self._made(start) if start else self._block
                for place, (name, remedy) in enumerate(ways.items()):
                    show(block * len(ways) + place, name or "chips as they are")
                    found = mended(remedy, self.asked, self._block, chunk=self.chunk)
                    parts[name].append(jax.device_get(found))
        found = {name: jax.tree.map(self._joined, *each) for name, each in parts.items()}
        return found[None], {name: found[name] for name in planned}

    def _joined(self, *parts: np.ndarray) -> np.ndarray:
        return np.concatenate(parts)[: self.chips]


@eqx.filter_jit
def fabricated(asked: Asked, chips: Int[Array, " chips"], key: Key[Array, ""], *, chunk: int) -> Made:
    """The chips of these numbers, which are those of a study with the same key."""
    fixed: list[Any] = []

    def one_chip(number: Int[Array, ""]) -> Any:
        chip, life_key = programmed(asked.model, asked.crossbar, number, key=key)

        def at_time(t: Float[Array, ""]) -> Any:
            now, read_key, _ = aged(chip, t, key=life_key)
            changing, same = eqx.partition(now, eqx.is_array)
            fixed.append(same)
            return changing, read_key

        moments, read_keys = jax.lax.map(at_time, asked.times)
        changing, same = eqx.partition(chip, eqx.is_array)
        fixed.append(same)
        return Made(changing, moments, life_key, read_keys)

    made = over_chips(one_chip, chips, chunk)
    return made._replace(chip=eqx.combine(made.chip, fixed[-1]), moments=eqx.combine(made.moments, fixed[-2]))


@eqx.filter_jit
def mended(remedy: AbstractRemedy | None, asked: Asked, made: Made, *, chunk: int) -> Found:
    """What chips have right that were mended, or, without a `remedy`, as they are."""

    def one_chip(number: Int[Array, ""]) -> Found:
        own = made.of(number)
        found = Repair(own.chip, {})
        if remedy is not None:
            case = Case(asked.model, own.chip, own.at(jnp.zeros((), int)), asked.times[0], asked.train, asked.probes)
            found = remedy.find(case, key=jr.fold_in(own.life, MEND))

        def at_time(place: Int[Array, ""]) -> tuple[Outcome, Array]:
            if found.chip is own.chip:
                now = own.at(place)
            else:
                now, _, _ = aged(found.chip, asked.times[place], key=own.life)
            how: Any = {"key": own.reads[place], "scores": class_scores, "memory": MEMORY / chunk}
            return outcome_and_losses(predictions(found.on(now), asked.test, **how), asked.test)

        places = jnp.arange(asked.times.shape[0])
        found_then, losses = jax.lax.map(at_time, places)
        return Found(found_then, losses, jnp.asarray(found.writes, asked.times.dtype))

    return over_chips(one_chip, jnp.arange(made.life.shape[0]), chunk)


def outcome_and_losses(scores: Float[Array, "recordings classes"], samples: Samples) -> tuple[Outcome, Array]:
    """Which recordings are named rightly, and the cross-entropy of each."""
    return judged(scores, samples), optax.softmax_cross_entropy_with_integer_labels(scores, samples.labels)
