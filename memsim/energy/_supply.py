"""What the word lines of a layer are supplied with, for inputs of its reads."""

from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from device_models.iv import AbstractIV, Ohmic

from .._array import AnalogMatrix, Chip, ResistiveWires, WordLines
from ..nn import AbstractAnalog
from ..nn._synapses._kernel import AbstractKernel
from ._array import admittance, check_wires
from ._conversions import Number

READS_AT_ONCE = 32  # quadratic forms side by side


class Drawn(NamedTuple):
    """Of all reads of a call: joules in the array, pulses on word lines, their squared volts, and how many reads."""

    joules: Float[Array, ""]
    pulses: Float[Array, ""]
    volts_squared: Float[Array, ""]
    reads: Float[Array, ""]


class Met(NamedTuple):
    """What is driven in one call, and how often cells and lines meet it.

    Of a kernel these are the pixels of an image, each of which several patches hold, and not the patches. The last
    column of `weights` says how often lines meet an input, those before it sum terms of the cells that do.
    """

    codes: Float[Array, "reads driven"]
    weights: Float[Array, "driven columns"]


class Supply(eqx.Module):
    """The drivers of a layer's word lines, before the cells of a chip at one moment.

    **Arguments:**

    - `layer`: Says what drives its lines; its weight is not used.
    - `word_lines`: Of the moment.
    - `iv`: Of the cells.
    - `terms`: Sums over all cells of each word line of the terms of their I-V, shape (lines, terms).
    - `networks`: With resistive wires, or amplifiers with resistance, of each row tile the admittance of all arrays
      that it drives.
    - `lifted`: With amplifiers off ground, amperes less that each line delivers, once it is driven.
    - `v_read`, `seconds`: At the largest pulse.
    """

    layer: AbstractAnalog
    word_lines: WordLines
    iv: AbstractIV
    terms: Float[Array, "lines terms"]
    networks: list[Float[Array, "_ _"]] | None
    lifted: Float[Array, " lines"] | None
    v_read: Number
    seconds: float | Float[Array, ""]

    def __call__(self, x: Array) -> Drawn:
        """What the reads of one call of the layer take together."""
        met, reads = self._met(x)
        dac = self.word_lines.dac
        pulses = [met.codes] if dac is None else dac.pulses(met.codes)
        each = [self._of_pulse(pulse if dac is None else pulse / dac.largest_pulse, met) for pulse in pulses]
        joules, driven, volts_squared = (jnp.sum(jnp.stack(parts)) for parts in zip(*each, strict=True))
        return Drawn(joules, driven, volts_squared, jnp.asarray(reads, self.terms.dtype))

    def _met(self, x: Array) -> tuple[Met, int]:
        """What drives the lines in a call with `x`, and the number of its reads."""
        shape = jax.eval_shape(self.layer.word_lines, x).shape
        alike = self.word_lines.dac is None or self.word_lines.dac.alike
        weights = jnp.concatenate([self.terms, jnp.ones((shape[1], 1), self.terms.dtype)], axis=1)
        if isinstance(self.layer, AbstractKernel) and alike and self.networks is None:
            # Sums over the patches of what each pixel takes: how they lie over it is linear, so its transpose says so.
            transposed = jax.linear_transpose(self.layer.word_lines, x)
            met = jax.vmap(lambda lines: transposed(jnp.broadcast_to(lines, shape))[0], 1, -1)(weights.astype(x.dtype))
            met = met.reshape(-1, met.shape[-1]).astype(weights.dtype)
            return Met(self._codes(jnp.expand_dims(jnp.ravel(x), 0)), met), shape[0]
        return Met(self._codes(self.layer.word_lines(x)), weights), shape[0]

    def _codes(self, x: Array) -> Array:
        x = x.astype(self.terms.dtype)
        return x if self.word_lines.dac is None else self.word_lines.dac.codes(x)

    def _of_pulse(self, share: Float[Array, "reads driven"], met: Met) -> tuple[Array, Array, Array]:
        """Joules, pulses and squared volts of pulses that are a `share` of the largest."""
        dac, full = self.word_lines.dac, self.v_read**2
        driven = jnp.ceil(jnp.abs(share)) if dac is None else (share != 0).astype(share.dtype)
        lines = met.weights[:, -1]
        pulses = _summed(driven, lines)
        if dac is None or dac.fixed_voltage:  # durations, or as many pulses
            return self._of_durations(share, met), pulses, full * pulses
        return self._of_levels(share, met), pulses, full * _summed(share**2, lines)

    def _of_durations(self, share: Float[Array, "reads driven"], met: Met) -> Float[Array, ""]:
        """Pulses of plus or minus the full voltage that begin together and last their share of the time."""
        if self.networks is not None:
            return self._of_networks(_together, share)
        if isinstance(self.iv, Ohmic):
            return _summed(jnp.abs(share), met.weights[:, 0]) * (self.v_read**2 * self.seconds)
        volts = jnp.asarray([self.v_read, -self.v_read], share.dtype)
        watts = met.weights[:, :-1] @ (jnp.stack(self.iv.basis(volts)) * jnp.expand_dims(volts, 0))  # (driven, signs)
        up, down = _summed(jnp.maximum(share, 0.0), watts[:, 0]), _summed(jnp.maximum(-share, 0.0), watts[:, 1])
        return (up + down) * self.seconds

    def _of_levels(self, share: Float[Array, "reads driven"], met: Met) -> Float[Array, ""]:
        """Pulses of one duration whose voltage is a share of the full one."""
        if self.networks is not None:
            return self._of_networks(_at_once, share)
        volts = share * self.v_read
        each = [_summed(volts * basis, met.weights[:, place]) for place, basis in enumerate(self.iv.basis(volts))]
        return jnp.sum(jnp.stack(each)) * self.seconds

    def _of_networks(self, power: Callable[[Array, Array], Array], share: Float[Array, "reads lines"]) -> Array:
        """Joules of all arrays, of reads one after the other: their squares would not fit at once."""
        assert self.networks is not None
        ends = np.cumsum([network.shape[0] for network in self.networks])

        def of_read(lines: Array) -> Array:
            parts = jnp.split(lines, ends[:-1])
            return sum((power(*each) for each in zip(self.networks or [], parts, strict=True)), jnp.zeros(()))

        squares = jnp.sum(jax.lax.map(of_read, share, batch_size=min(READS_AT_ONCE, share.shape[0])))
        joules = squares * (self.v_read**2 * self.seconds)
        return joules if self.lifted is None else joules - jnp.sum(share @ self.lifted) * (self.v_read * self.seconds)


def _summed(values: Float[Array, "reads driven"], weights: Float[Array, " driven"]) -> Float[Array, ""]:
    """Over all lines and reads: as a product, since on a CPU XLA adds the elements of a sum one after the other."""
    return jnp.sum(values @ weights)


def _together(admittance: Float[Array, "_ _"], share: Float[Array, " _"]) -> Float[Array, ""]:
    """Of pulses that begin together: two lines are both driven for as long as the shorter pulse lasts."""
    size, sign = jnp.abs(share), jnp.sign(share)
    both = jnp.minimum(jnp.expand_dims(size, 0), jnp.expand_dims(size, 1))
    return sign @ (admittance * both) @ sign


def _at_once(admittance: Float[Array, "_ _"], share: Float[Array, " _"]) -> Float[Array, ""]:
    return share @ admittance @ share


def supply(layer: AbstractAnalog, chip: Chip, matrix: AnalogMatrix, g: Array, seconds: Any) -> Supply:
    """The drivers of a `layer` whose `chip` presents `matrix` with cells of `g` siemens, (planes, rows, lines)."""
    design = chip.crossbar
    check_wires(design.wires)
    sense, networks, lifted = design.reads.sense, None, None
    if sense is not None and not sense.holds_ground:
        if isinstance(design.wires, ResistiveWires):
            raise ValueError(
                "What the word lines deliver to sense amplifiers that do not hold ground is known for wires without "
                "resistance. Got `series_resistance` or `offset` behind `ResistiveWires`. Leave them out, or use "
                "`IdealWires()`."
            )
        networks, lifted = _amplified(chip, sense.series_resistance, g)
    elif isinstance(design.wires, ResistiveWires):
        networks = _networks(chip, g)
    lanes = _lanes(layer, chip, matrix, g)
    if networks is not None and lanes is not None:
        raise ValueError(
            "Behind resistive wires, and before amplifiers off ground, each word line must carry one input. Got a "
            "layer whose cells of one line meet several (groups, delays). Use `IdealWires()`, and amplifiers at ground."
        )
    terms = jnp.stack([jnp.sum(term, axis=(0, 2)) for term in design.device.iv.terms(g)], axis=1)
    terms = terms if lanes is None else jnp.expand_dims(lanes, 1)
    return Supply(layer, matrix.word_lines, design.device.iv, terms, networks, lifted, design.reads.v_read, seconds)


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


def _amplified(
    chip: Chip, ohm: float, g: Float[Array, "planes rows lines"]
) -> tuple[list[Float[Array, "_ _"]], Float[Array, " rows"] | None]:
    """`networks` and `lifted` of bit lines that end behind amplifiers: $R I'$ above their offsets."""
    found, less, rows = [], [], chip.crossbar.tile[0]
    for place in range(-(-g.shape[1] // rows)):
        cells = jnp.concatenate(list(g[:, place * rows : (place + 1) * rows]), axis=1)
        passed = 1 / (1 + ohm * jnp.sum(cells, axis=0))
        found.append(jnp.diag(jnp.sum(cells, axis=1)) - (cells * jnp.expand_dims(ohm * passed, 0)) @ cells.T)
        if chip.offsets is not None:
            less.append(cells @ (jnp.ravel(chip.offsets[:, place]) * passed))
    return found, jnp.concatenate(less) if less else None


def _places(g: Array) -> Array:
    """Which bit line of its array each cell is on."""
    return jnp.broadcast_to(jnp.arange(g.shape[1], dtype=g.dtype), g.shape)
