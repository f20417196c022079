"""What is not ideal about a design, and the design without it."""

import dataclasses
from functools import reduce

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool

from device_models import EFFECTS as DEVICE_EFFECTS
from device_models import AbstractDevice

from .._checks import checked, did_you_mean, is_zero, write
from ._converters._adc import ADC, AbstractADC
from ._converters._codes import largest_code
from ._converters._dac import DAC, AbstractDAC, PulseWidthDAC
from ._converters._switched import switched_adc, switched_dac
from ._converters._unlimited import UnlimitedADC, UnlimitedDAC, unlimited_adc, unlimited_dac
from ._crossbar import Crossbar
from ._sense import SenseAmplifier
from ._wires import IdealWires, SwitchedWires

EFFECTS = (*DEVICE_EFFECTS, "DAC", "ADC", "saturation", "IR drop", "sense amplifier")
DESIGN = write("Such as `memsim.Crossbar(dm.pcm_joshi2020())`.")


@checked(design=DESIGN)
def effects(design: Crossbar) -> tuple[str, ...]:
    """Those of `EFFECTS` that `design` shows.

    "DAC" and "ADC" are rounding and errors of the converters, "saturation" is what both of them clip.

    >>> import device_models as dm, memsim as ms
    >>> ms.effects(ms.Crossbar(dm.pcm_joshi2020(), adc=ms.ADC(8)))
    ('write noise', 'drift', 'read noise', 'ADC', 'saturation')
    """
    found = set(design.device.effects)
    if design.reads.noise == "off":
        found.discard("read noise")
    shown = {
        "DAC": design.dac is not None and _ideal_dac(design.dac) != design.dac,
        "ADC": design.adc is not None and _ideal_adc(design.adc) != design.adc,
        "saturation": any(
            converter is not None and not isinstance(converter, UnlimitedADC | UnlimitedDAC)
            for converter in (design.dac, design.adc)
        ),
        "IR drop": not isinstance(design.wires, IdealWires),
        "sense amplifier": design.reads.sense is not None,
    }
    found.update(effect for effect, is_shown in shown.items() if is_shown)
    return tuple(effect for effect in EFFECTS if effect in found)


@checked(design=DESIGN)
def without(design: Crossbar, effect: str) -> Crossbar:
    """`design` without one of `EFFECTS`; what chance decides of the others stays as it is for each key.

    Raises `ValueError` for an unknown effect, with the nearest known ones.

    >>> import device_models as dm, memsim as ms
    >>> design = ms.Crossbar(dm.pcm_joshi2020(), adc=ms.ADC(8))
    >>> ms.effects(ms.without(design, "drift"))
    ('write noise', 'read noise', 'ADC', 'saturation')
    """
    match effect:
        case "DAC":
            return dataclasses.replace(design, dac=None if design.dac is None else _ideal_dac(design.dac))
        case "ADC":
            return dataclasses.replace(design, adc=None if design.adc is None else _ideal_adc(design.adc))
        case "saturation":
            dac = None if design.dac is None else unlimited_dac(design.dac)
            adc = None if design.adc is None else unlimited_adc(design.adc)
            return dataclasses.replace(design, dac=dac, adc=adc)
        case "IR drop":
            return dataclasses.replace(design, wires=IdealWires())
        case "sense amplifier":
            return dataclasses.replace(design, reads=dataclasses.replace(design.reads, sense=None))
    if effect not in DEVICE_EFFECTS:
        raise ValueError(did_you_mean("An `effect`", effect, EFFECTS))
    return dataclasses.replace(design, device=design.device.without(effect))


def switched(design: Crossbar, removed: tuple[str, ...]) -> Crossbar:
    """`design` without the effects that are `removed`, by numbers where they can be.

    Designs that differ in what is removed are then of one structure, and compile once; but for what changes their
    structure: levels, a nonlinear I-V, the drift of `Retention`, and codes that go out in several pulses.
    """
    by_number = {"ADC", "saturation", "IR drop", "sense amplifier"}
    if design.dac is None or design.dac.largest_pulse == largest_code(design.dac.bits):
        by_number.add("DAC")
    design = reduce(without, [effect for effect in removed if effect not in by_number], design)
    there = {effect: jnp.asarray(effect not in by_number or effect not in removed) for effect in EFFECTS}
    parts = (
        _traced(design.device),
        None if design.dac is None else switched_dac(design.dac, there["DAC"], there["saturation"]),
        None if design.adc is None else switched_adc(design.adc, there["ADC"], there["saturation"]),
        design.wires if isinstance(design.wires, IdealWires) else SwitchedWires(design.wires, there["IR drop"]),
        _switched_sense(design.reads.sense, there["sense amplifier"]),
    )
    return eqx.tree_at(
        lambda d: (d.device, d.dac, d.adc, d.wires, d.reads.sense), design, parts, is_leaf=lambda part: part is None
    )


def _switched_sense(sense: SenseAmplifier | None, there: Bool[Array, ""]) -> SenseAmplifier | None:
    return jax.tree.map(lambda size: size if is_zero(size) else jnp.where(there, size, 0.0), sense)


def _traced(device: AbstractDevice) -> AbstractDevice:
    """With arrays for numbers but the range, so that devices which differ in such numbers only compile once."""

    def traced(path, leaf):
        fixed = not isinstance(leaf, float) or getattr(path[-1], "name", "") in ("g_min", "g_max")
        return leaf if fixed else jnp.asarray(leaf)

    return jax.tree_util.tree_map_with_path(traced, device)


def _ideal_dac(dac: AbstractDAC) -> AbstractDAC:
    """Without rounding and errors, but with the range, and with cells that see the same voltages."""
    if isinstance(dac, UnlimitedDAC):
        return unlimited_dac(_ideal_dac(dac.dac))
    return (PulseWidthDAC if dac.fixed_voltage else DAC)(None, dac.input_range)


def _ideal_adc(adc: AbstractADC) -> AbstractADC:
    """Without rounding and errors, but with the full scale."""
    return unlimited_adc(_ideal_adc(adc.adc)) if isinstance(adc, UnlimitedADC) else ADC(None, adc.full_scale)
