"""A programmed model as other software may read it: the weights its chips present, and what made them."""

import dataclasses
from typing import Any, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._array import AnalogMatrix, Chip
from ..nn import Firing, analog_layers
from ..nn._deploy import replace_weights
from ..nn._synapses._synapse import KeyedMatrix

Model = TypeVar("Model")
Notes = dict[str, dict[str, Any]]


def digital_twin(model: Model) -> tuple[Model, Notes]:
    """`model` with the effective weight of every chip as a digital one, and notes on each by its path.

    A `Chip` is read at 0 s without read noise, an `AnalogMatrix` at its own moment. What the converters of a layer do
    to its inputs and outputs is not part of a weight.
    """
    weights, notes = {}, {}
    for path, layer in analog_layers(model).items():
        if isinstance(layer.weight, Chip | AnalogMatrix | KeyedMatrix):
            weights[path], notes[path] = _presented(layer.weight)
    return (replace_weights(model, weights) if weights else model), notes


def with_reset_to_value(model: Model) -> Model:
    """`model` with every neuron that subtracts its threshold resetting to its `v_reset`."""

    def changed(node: Any) -> Any:
        if not isinstance(node, Firing) or node.reset != "subtract":
            return node
        return dataclasses.replace(node, reset="zero")

    return jax.tree.map(changed, model, is_leaf=lambda node: isinstance(node, Firing))


def _presented(weight: Any) -> tuple[Any, dict[str, Any]]:
    weight = weight.matrix if isinstance(weight, KeyedMatrix) else weight
    if isinstance(weight, AnalogMatrix):
        return weight.effective_weight, {"memsim_design": _text(weight)}
    design = weight.crossbar
    quiet = dataclasses.replace(design, reads=dataclasses.replace(design.reads, noise="off"))
    silent = dataclasses.replace(weight, crossbar=quiet)
    return _at_start(silent), {
        "memsim_design": _text(design),
        "memsim_device_numbers": "\n".join(design.device.sources),
        "memsim_conductance_siemens": np.asarray(design.device.conductance(weight.cells, jnp.zeros(()))),
    }


@eqx.filter_jit
def _at_start(chip: Chip) -> Float[Array, "outputs inputs"]:
    return chip.at(0.0).effective_weight


def _text(design: Any) -> str:
    return eqx.tree_pformat(design, width=120)
