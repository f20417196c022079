"""From a design, what is known and the reads of an array to the numbers of a `Problem`."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from device_models import AbstractDevice
from device_models.iv import Ohmic

from .._array import BitSliced, ConverterErrors, Crossbar, DifferentialPair, IdealWires, OffsetColumn, ResistiveWires
from .._checks import described
from ._arrays import Circuits
from ._cells import AGES, SPAN, CellLaw, anywhere, cell_law, drawn
from ._circuit import Circuit
from ._known import Known
from ._network import Sides
from ._problem import RESISTANCES

FLOOR = 1e-6  # of the outputs: what single-precision reads and solvers of netlists are off by at least


class Question(NamedTuple):
    """What reads are to answer: all of a `Problem` but the reads.

    `digital` is what a digital sum adds to outputs for each input, `noise` the variance of an output without input and
    `noise_of_cells` that for the square of each input; `largest` is the output at which a converter saturates.
    """

    array: Circuits
    law: CellLaw
    ohms: np.ndarray
    log_age: float
    names: tuple[str, ...]
    spreads: np.ndarray
    gain: np.ndarray
    offset: np.ndarray
    digital: np.ndarray | None
    noise: np.ndarray
    noise_of_cells: np.ndarray | None
    largest: np.ndarray | None
    dead: np.ndarray


def question(design: Crossbar | Circuit, known: Known) -> Question:
    """Raises `ValueError` for designs whose reads are not linear, and for unknowns that reads cannot tell."""
    return _of_circuit(design, known) if isinstance(design, Circuit) else _of_crossbar(design, known)


def inputs_of(design: Crossbar | Circuit, known: Known) -> int:
    """Numbers of one input."""
    if isinstance(design, Circuit):
        return design.inputs
    return _shape(known)[1]


def full_input(design: Crossbar | Circuit) -> float:
    """The largest input."""
    if isinstance(design, Circuit):
        return design.v_read
    return 1.0 if design.dac is None else float(design.dac.input_range)


def _shape(known: Known) -> tuple[int, int]:
    if known.array is not None:
        return known.array.shape
    if known.inputs is None or known.outputs is None:
        raise ValueError(
            "Of a `Crossbar` the `targets` must be known, or how many `inputs` and `outputs` it has. "
            f"Got inputs={known.inputs}, outputs={known.outputs}."
        )
    return known.outputs, known.inputs


def _of_circuit(design: Circuit, known: Known) -> Question:
    _check_linear(design.device)
    shape = (1, design.rows, design.columns)
    targets = known.array
    if targets is not None and targets.shape != shape[1:]:
        raise ValueError(f"`targets` must be conductances of shape {shape[1:]}. Got {targets.shape}.")
    if targets is not None:
        _check_range(design.device, targets)
    all_terminals = design.terminals == "all"
    gain, offset = (np.full(design.columns, value or 0.0) for value in (known.gain, known.offset))
    if all_terminals and (gain.any() or offset.any()):
        raise ValueError(
            f"Meters of all terminals must be calibrated. Got gain={known.gain}, offset={known.offset}. Read bit lines."
        )
    law, _ = _law(design.device, known, None if targets is None else targets[None], shape, _nothing)
    array = Circuits(jnp.ones((1, design.columns)), _sides(design.wires), False, all_terminals)
    ohms, names, spreads = _shared(design.device, design.wires, known, shape[1:])
    noise = np.full(design.outputs, (known.noise or 0.0) ** 2)
    dead = np.zeros(design.outputs, bool)
    age = np.log(max(known.age, 1e-12))
    return Question(array, law, ohms, age, names, spreads, gain, offset, None, noise, None, None, dead)


def _of_crossbar(design: Crossbar, known: Known) -> Question:
    _check_linear(design.device)
    mapping = design.mapping
    outputs, inputs = _shape(known)
    _check_design(design, inputs, outputs)
    _check_compensation(design, known)
    plain = mapping.mapping if isinstance(mapping, BitSliced) else mapping
    scale = np.full(outputs, 1.0 if known.weight is None else known.weight)
    w = known.array
    if w is not None and known.weight is None:
        scale = np.asarray(mapping.scales(jnp.asarray(w.T), design.tile), np.float64)[0]
    dead, units = scale == 0, np.where(scale > 0, scale, 1.0)
    off, on = (float(end) for end in design.cell_range)
    fractions = mapping.fractions(
        jnp.zeros((inputs, outputs)) if w is None else jnp.asarray(w.T / units), design.tile[1]
    )
    shape = fractions.shape
    targets = None if w is None else off + (on - off) * np.asarray(fractions, np.float64)
    moving = design.reads.noise != "off"
    law, read = _law(design.device, known, targets, shape, design.reads.frozen if moving else _nothing)
    worth = _worth(design, units, shape[0])
    digital = None
    if mapping.middle is not None:
        cells = sum(w * (off + (on - off) * f) for w, f in zip(mapping.weights, mapping.middle, strict=True))
        digital = np.broadcast_to(-cells * units / float(design.one_cell), (inputs, outputs))
    interleaved = isinstance(plain, DifferentialPair) and plain.arrangement == "interleaved"
    array = Circuits(jnp.asarray(worth), _sides(design.wires), interleaved)
    ohms, names, spreads = _shared(design.device, design.wires, known, (inputs, outputs))
    gain, offset, noise, largest = _converters(design, known, units, inputs)
    of_cells = np.sum((worth[:, None] * read) ** 2, axis=0) if known.noise is None and moving else None
    age = np.log(max(known.age, 1e-12))
    return Question(array, law, ohms, age, names, spreads, gain, offset, digital, noise, of_cells, largest, dead)


def _check_range(device: AbstractDevice, targets: np.ndarray) -> None:
    low, high = float(device.g_min), float(device.g_max)
    slack = 1e-3 * (high - low)
    if targets.min() < low - slack or targets.max() > high + slack:
        raise ValueError(
            f"`targets` of a `Circuit` must be conductances in the range of its device, {low:g} to {high:g} S. Got "
            f"{targets.min():g} to {targets.max():g}. Micro-siemens? Multiply by 1e-6."
        )


def _check_linear(device: AbstractDevice) -> None:
    if not isinstance(device.iv, Ohmic):
        raise ValueError(
            "Cells must be ohmic, so that a read is linear in what is unknown. Got cells with the I-V "
            f"{described(device.iv)}. Read them at low voltage, and take `device.without('I-V')`."
        )


def _check_design(design: Crossbar, inputs: int, outputs: int) -> None:
    if inputs > design.tile[0] or outputs > design.tile[1]:
        raise ValueError(
            f"One array must be identified at a time. Got {inputs} inputs and {outputs} outputs, on tiles of "
            f"{design.tile}. Read tiles one by one, or make `tile` larger."
        )
    plain = design.mapping.mapping if isinstance(design.mapping, BitSliced) else design.mapping
    if not isinstance(plain, DifferentialPair) and plain != OffsetColumn(plain.scale):
        raise ValueError(
            "The mapping must be a DifferentialPair, an OffsetColumn with a digital offset, or a `BitSliced` of one. "
            f"Got {described(design.mapping)}, of which a bit line is in all outputs."
        )
    if not isinstance(design.wires, IdealWires | ResistiveWires):
        raise ValueError(
            f"The wires must be a circuit with a gradient. Got {described(design.wires)}. Use `ResistiveWires`."
        )
    if design.dac is not None and getattr(design.dac, "errors", None) is not None:
        raise ValueError(
            "The DAC must be without errors: the gain of a driver cannot be told from the scale of the cells of its "
            "word line. Leave out `errors`; what it does is then found in the cells."
        )
    sense = design.reads.sense
    if sense is not None and (float(sense.series_resistance) or float(sense.saturation)):
        raise ValueError(
            "Sense amplifiers must be linear and at ground. Got series resistance or saturation. Write the former as "
            "the `sink` of `ResistiveWires`, and read below saturation."
        )


def _check_compensation(design: Crossbar, known: Known) -> None:
    """Raises `ValueError` for outputs that are multiplied by a factor nobody has given."""
    if design.compensation is not None and known.scale == 0 and (known.age > 0 or known.age_spread > 0):
        raise ValueError(
            "Aged cells must be read without drift compensation, whose factor would be taken for conductances. Got "
            f"{type(design.compensation).__name__}. Write `compensation=None`, or, where hardware multiplies by it, "
            "`Known(scale=0.3, noise=...)`, with the noise of an output after it."
        )


def _law(
    device: AbstractDevice, known: Known, targets: np.ndarray | None, shape: Any, frozen: Callable[..., Any]
) -> tuple[CellLaw, Any]:
    """The law of the cells, and the noise of their reads that moves, in siemens."""
    ages = np.asarray([known.age])
    if known.age_spread > 0:
        ages = known.age * np.exp(np.linspace(-SPAN, SPAN, AGES) * known.age_spread)
    shares = [float(frozen(device, jnp.asarray(age))) for age in ages]
    levels, _, _, noise = drawn(device, ages, targets)
    middle = len(ages) // 2
    moving = noise[middle] * np.sqrt(1 - shares[middle])
    read = np.mean(moving) if targets is None else np.interp(targets, levels, moving)
    if targets is None:
        return anywhere(device, shape), read
    return cell_law(device, targets, ages, shares, known.error), read


def _nothing(device: AbstractDevice, age: Any) -> float:
    """The share of noise that stands still where none is drawn: none is left that moves, either."""
    return 0.0


def _sides(wires: Any) -> Sides | None:
    return None if isinstance(wires, IdealWires) else Sides(wires.drive, wires.sense)


def _shared(
    device: AbstractDevice, wires: Any, known: Known, shape: tuple[int, ...]
) -> tuple[np.ndarray, tuple[str, ...], np.ndarray]:
    """Medians of the resistances, and which of the shared unknowns there are, with their spreads."""
    ohms = [0.0] * 4 if isinstance(wires, IdealWires) else [float(getattr(wires, name)) for name in RESISTANCES]
    spreads = {name: known.wires for name, ohm in zip(RESISTANCES, ohms, strict=True) if ohm > 0 and known.wires > 0}
    for ends, lines, count in (
        (("word_line", "source"), "columns", shape[1]),
        (("bit_line", "sink"), "rows", shape[0]),
    ):
        if count == 1 and all(name in spreads for name in ends):
            raise ValueError(
                f"`{ends[0]}` and `{ends[1]}` cannot be told apart in an array of one of the {lines}: they are in "
                "series. Set one of them to 0 in the design."
            )
    if known.scale > 0:
        spreads["scale"] = known.scale
    if known.age_spread > 0:
        if "drift" not in device.effects:
            raise ValueError(
                f"The age cannot be told from cells that do not drift. Got {type(device).__name__}. Use age_spread=0."
            )
        spreads["age"] = known.age_spread
    return np.asarray(ohms), tuple(spreads), np.asarray(list(spreads.values()), float)


def _worth(design: Crossbar, units: np.ndarray, planes: int) -> np.ndarray:
    """Of one siemens in each plane and column, in units of weights."""
    slices = len(design.mapping.weights)
    signs = (1.0, -1.0) if planes == 2 * slices else (1.0,)
    each = [sign * weight for weight in design.mapping.weights for sign in signs]
    return np.asarray(each)[:, None] * units[None] / float(design.one_cell)


def _converters(design: Crossbar, known: Known, units: np.ndarray, inputs: int) -> tuple[Any, ...]:
    """Spreads of gain and offset, variance of the noise and largest output of each column."""
    gain, offset, noise, largest = np.zeros_like(units), np.zeros_like(units), np.zeros_like(units), None
    sense, adc, dac = design.reads.sense, design.adc, design.dac
    full = 1.0 if dac is None else float(dac.full_pulse)
    weights = np.asarray(design.mapping.weights)[:, None]
    pulses = 1.0 if dac is None else float(np.sum(np.square(dac.significance)))
    if sense is not None:
        noise = noise + pulses * np.sum((float(sense.noise) * full * weights * units) ** 2, axis=0)
        whole = inputs * (design.device.g_max + design.device.g_min) / 2 / float(design.one_cell)
        offset = np.hypot(offset, float(sense.offset) / design.reads.v_read * whole * full * units)
    if adc is not None:
        per_code = np.reshape(np.asarray(adc.cells_per_code(inputs), float), (-1, 1)) * full * weights * units
        if adc.bits is not None:
            noise = noise + pulses * np.sum(per_code**2, axis=0) / (6 if adc.needs_key else 12)
            if len(weights) == 1 and pulses == 1:
                largest = per_code[0] * (2 ** (adc.bits - 1) - 1)
        elif len(weights) == 1:
            largest = per_code[0]
        errors = getattr(adc, "errors", None)
        if isinstance(errors, ConverterErrors):
            gain = gain + errors.gain
            offset = np.hypot(offset, errors.offset * np.sqrt(np.sum(per_code**2, axis=0)))
            noise = noise + 2 * errors.inl**2 * np.sum(per_code**2, axis=0)
    if known.noise is not None:
        noise = np.full_like(units, known.noise**2)
    return (
        gain if known.gain is None else np.full_like(gain, known.gain),
        offset if known.offset is None else np.full_like(offset, known.offset),
        noise,
        largest,
    )
