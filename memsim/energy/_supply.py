"""What the word lines of a layer are supplied with, for inputs of its reads."""

from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from device_models.iv import Ohmic

from .._array import AnalogMatrix, Chip, ResistiveWires
from ..nn import AbstractAnalog
from ._array import admittance, check_wires

READS_AT_ONCE = 32  # quadratic forms side by side


class Drawn(NamedTuple):
    """Of each read: joules in the array, and the word lines that are driven, as pulses and as volts squared of them."""

    joules: Float[Array, " reads"]
    pulses: Float[Array, " reads"]
    volts_squared: Float[Array, " reads"]


class Supply(eqx.Module):
    """The drivers of a layer's word lines, before the cells of a chip at one moment.

    **Arguments:**

    - `layer`: Says what drives its lines; its weight is not used.
    - `matrix`: The moment, for its DAC.
    - `terms`: Sums over all cells of each word line of the terms of their I-V (`memsim.iv`), shape (lines, terms).
    - `networks`: With resistive wires, of each row tile the admittance of all arrays that it drives.
    - `v_read`, `seconds`: At the largest pulse.
    """

    layer: AbstractAnalog
    matrix: AnalogMatrix
    iv: Any
    terms: Float[Array, "lines terms"]
    networks: list[Float[Array, "_ _"]] | None
    v_read: float
    seconds: float | Float[Array, ""]

    def __call__(self, x: Array) -> Drawn:
        """What the reads of one call of the layer take."""
        lines, dac = self.layer.word_lines(x), self.matrix.word_lines.dac
        codes = self.matrix.word_lines.codes(lines.astype(self.terms.dtype))
        each = [self._of_pulse(pulse) for pulse in ([codes] if dac is None else dac.pulses(codes))]
        return Drawn(*(jnp.sum(jnp.stack(parts), axis=0) for parts in zip(*each, strict=True)))

    def _of_pulse(self, pulse: Float[Array, "reads lines"]) -> Drawn:
        dac = self.matrix.word_lines.dac
        share = pulse if dac is None else pulse / dac.largest_pulse
        driven = (pulse != 0).astype(share.dtype)
        if dac is None or dac.fixed_voltage:  # durations, or as many pulses
            joules, volts_squared = self._of_durations(share), self.v_read**2 * jnp.sum(driven, axis=1)
            driven = driven if dac is not None else driven * jnp.ceil(jnp.abs(share))
            if dac is None:
                volts_squared = self.v_read**2 * jnp.sum(driven, axis=1)
        else:
            joules, volts_squared = self._of_levels(share), self.v_read**2 * jnp.sum(share**2, axis=1)
        return Drawn(joules, jnp.sum(driven, axis=1), volts_squared)

    def _of_durations(self, share: Float[Array, "reads lines"]) -> Float[Array, " reads"]:
        """Pulses of plus or minus the full voltage that begin together and last their share of the time."""
        if self.networks is not None:
            size = jnp.abs(share)

            def power(admittance: Array, x: Array, size: Array) -> Array:
                sign = jnp.sign(x)
                together = jnp.minimum(jnp.expand_dims(size, 0), jnp.expand_dims(size, 1))
                return jnp.sum(admittance * together * jnp.expand_dims(sign, 0) * jnp.expand_dims(sign, 1))

            return self._of_networks(power, share, size) * (self.v_read**2 * self.seconds)
        volts = jnp.asarray([self.v_read, -self.v_read], share.dtype)
        watts = self.terms @ (jnp.stack(self.iv.basis(volts)) * jnp.expand_dims(volts, 0))  # (lines, signs)
        return (jnp.maximum(share, 0.0) @ watts[:, 0] + jnp.maximum(-share, 0.0) @ watts[:, 1]) * self.seconds

    def _of_levels(self, share: Float[Array, "reads lines"]) -> Float[Array, " reads"]:
        """Pulses of one duration whose voltage is a share of the full one."""
        if self.networks is not None:
            return self._of_networks(lambda y, x, _: x @ y @ x, share, share) * (self.v_read**2 * self.seconds)
        volts = share * self.v_read
        watts = [(volts * basis) @ term for basis, term in zip(self.iv.basis(volts), self.terms.T, strict=True)]
        return sum(watts[1:], start=watts[0]) * self.seconds

    def _of_networks(self, power: Any, share: Array, size: Array) -> Float[Array, " reads"]:
        """Watts for one volt, of all arrays, of reads one after the other: their squares would not fit at once."""
        assert self.networks is not None
        start, total = 0, jnp.zeros(share.shape[0], share.dtype)
        for network in self.networks:
            own = slice(start, start + network.shape[0])
            start = own.stop

            def one(inputs: tuple[Array, Array], network: Array = network) -> Array:
                return power(network, *inputs)

            reads = share.shape[0]
            total = total + jax.lax.map(one, (share[:, own], size[:, own]), batch_size=min(READS_AT_ONCE, reads))
        return total


def supply(layer: AbstractAnalog, chip: Chip, matrix: AnalogMatrix, g: Array, seconds: Any) -> Supply:
    """The drivers of a `layer` whose `chip` presents `matrix` and has cells of `g` siemens, shape (planes, rows, lines)."""
    design = chip.crossbar
    check_wires(design.wires)
    if design.reads.sense is not None and not design.reads.sense.holds_ground:
        raise ValueError(
            "What the word lines deliver is known for sense amplifiers that hold ground. Got `series_resistance` or "
            "`offset`. Leave them out to ask for energy."
        )
    lanes = _lanes(layer, chip, matrix, g)
    networks = _networks(chip, g) if isinstance(design.wires, ResistiveWires) else None
    if networks is not None and lanes is not None:
        raise ValueError(
            "Behind resistive wires each word line must carry one input. Got a layer whose cells of one line meet "
            "several (groups, delays). Use `IdealWires()` for it."
        )
    terms = jnp.stack([jnp.sum(term, axis=(0, 2)) for term in design.device.iv.terms(g)], axis=1)
    terms = terms if lanes is None else jnp.expand_dims(lanes, 1)
    return Supply(layer, matrix, design.device.iv, terms, networks, design.reads.v_read, seconds)


def _lanes(layer: AbstractAnalog, chip: Chip, matrix: AnalogMatrix, g: Array) -> Float[Array, " lines"] | None:
    """Siemens on each lane of layers whose cells on one word line meet several inputs; `None` for all others."""
    whole = AnalogMatrix.exact(jnp.zeros(matrix.effective_weight.shape, g.dtype))
    wired = layer.as_wired(whole)
    if wired.inputs == whole.inputs:
        return None
    found = chip.crossbar.mapping.fluctuation(g, chip.crossbar.tile[1])
    if found.shared is not None or not isinstance(chip.crossbar.device.iv, Ohmic):
        raise ValueError(
            "A layer whose cells on one word line meet several inputs (groups, delays) must have ohmic cells that are "
            "each of one weight. Got a reference column, or a nonlinear I-V. Use `DifferentialPair()`."
        )
    own = AnalogMatrix.exact(jnp.sum(found.own, axis=0).T)
    return jnp.sum(layer.as_wired(own).weight, axis=1)


def tiles_of(chip: Chip, shape: tuple[int, ...]) -> np.ndarray:
    """A number for each cell that all cells of one array have in common, shape (planes, rows, lines)."""
    first = [_within_tiles(chip, place, _smallest) for place in np.indices(shape)]  # plane, row and line of each array
    _, found = np.unique(np.stack(first).reshape(3, -1), axis=1, return_inverse=True)
    return found.reshape(shape)


def _smallest(g: Array) -> Array:
    return jnp.full_like(g, jnp.min(g))


def _within_tiles(chip: Chip, values: np.ndarray, function: Callable[[Array], Array]) -> np.ndarray:
    """`function` of the part of whole `values` in each array, known while tracing."""
    with jax.ensure_compile_time_eval():
        each = jnp.asarray(values, jnp.float32)  # numbers of lines, which it holds exactly
        return np.asarray(chip.crossbar.mapping.behind(function, each, chip.crossbar.tile)).astype(int)


def _networks(chip: Chip, g: Float[Array, "planes rows lines"]) -> list[Float[Array, "_ _"]]:
    """The admittance of all arrays that the word lines of each row tile drive."""
    wires, rows = chip.crossbar.wires, chip.crossbar.tile[0]
    assert isinstance(wires, ResistiveWires)
    tiles, places = tiles_of(chip, g.shape), _within_tiles(chip, np.zeros(g.shape), _places)
    found: dict[int, Array] = {}
    for tile in np.unique(tiles):
        planes, lines, columns = np.nonzero(tiles == tile)
        first, last = lines.min(), lines.max() + 1
        order = np.lexsort((places[planes, lines, columns], lines))
        cells = g[planes[order], lines[order], columns[order]].reshape(last - first, -1)
        part = admittance(wires, cells)
        found[first // rows] = part if first // rows not in found else found[first // rows] + part
    return [found[place] for place in sorted(found)]


def _places(g: Array) -> Array:
    """Which bit line of its array each cell is on."""
    return jnp.broadcast_to(jnp.arange(g.shape[1], dtype=g.dtype), g.shape)
