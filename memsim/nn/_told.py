"""What is told about a model once when it is programmed or calibrated: layers that are not what they seem."""

import dataclasses
import warnings
from typing import Any

import jax
import numpy as np
from jax.core import Tracer

from .._array import Crossbar
from ._convertible import convertible
from ._networks._network import AbstractNetwork
from ._synapses._synapse import AbstractAnalog

STACK = 5  # from `warnings.warn` to the caller of `memsim.program`, over the check of its arguments


def tell_digital(model: Any) -> None:
    """Warns of layers of `equinox.nn` whose matrices would fit a crossbar, and stay digital."""
    left = list(convertible(model))
    if left:
        _warn(
            f"{_named(left)} of `equinox.nn` and stays digital, without any error of the chip. "
            "`memsim.nn.convert(model)` makes such layers analog. Is it meant? Silence this with `warnings`."
        )


def tell_shared(layers: dict[str, AbstractAnalog]) -> None:
    """Warns of one array that is the weight of several layers, each of which becomes a chip of its own."""
    owners: dict[int, list[str]] = {}
    for path, layer in layers.items():
        if isinstance(layer.weight, jax.Array | np.ndarray) and not isinstance(layer.weight, Tracer):
            owners.setdefault(id(layer.weight), []).append(path)
    for paths in owners.values():
        if len(paths) > 1:
            _warn(
                f"One array is the weight of {', '.join(paths)}, which become {len(paths)} chips with errors of their "
                "own. For one chip that both use, share the layer: `equinox.nn.Shared`."
            )


def tell_ranges(model: Any, designs: dict[str, Crossbar]) -> None:
    """Warns of converters that keep their default ranges under a model whose signals may leave them.

    Signals between the layers of a network over time are spikes, which the default of 1 holds. Those of any other model
    that is called on samples may be anything.
    """
    if isinstance(model, AbstractNetwork | AbstractAnalog) or not callable(model):
        return
    unset = {path: _unset(design) for path, design in designs.items()}
    unset = {path: names for path, names in unset.items() if names}
    if unset:
        ranges = " and ".join(sorted({name for names in unset.values() for name in names}, reverse=True))
        _warn(
            f"Converters keep the default {ranges} in {', '.join(unset)}, and may clip what this model does. "
            "`memsim.calibrate(model, xs, crossbar)` finds ranges from data, and `memsim.nn.clipping(chip, xs)` tells "
            "what is clipped."
        )


def tell_silent(paths: list[str]) -> None:
    """Warns of layers whose ranges were to be found from samples that drive them with zeros only."""
    if paths:
        _warn(
            f"All samples drive {', '.join(paths)} with zeros only, so that ranges there are the arbitrary 1. "
            "Calibrate with samples that reach these layers."
        )


def _unset(design: Crossbar) -> list[str]:
    """The ranges of a design that nobody has chosen."""
    found = [] if design.dac is None or not _is_default(design.dac, "input_range") else ["`input_range` of the DAC"]
    if design.adc is not None and _is_default(design.adc, "full_scale"):
        found.append("`full_scale` of the ADC")
    return found


def _is_default(converter: Any, name: str) -> bool:
    default = next((f.default for f in dataclasses.fields(converter) if f.name == name), None)
    value = getattr(converter, name)
    return default is not None and isinstance(value, int | float) and value == default


def _named(paths: list[str]) -> str:
    return f"Layer {paths[0]} is one" if len(paths) == 1 else f"Each of the layers {', '.join(paths)} is one"


def _warn(message: str) -> None:
    warnings.warn(message, UserWarning, stacklevel=STACK)
