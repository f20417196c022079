"""Whole models onto chips: `program`, `at`, `deploy`."""

from typing import Any, TypeVar

import equinox as eqx
import jax
import jax.random as jr
from jaxtyping import Array, Float, Key

from .._array import AnalogMatrix, Chip
from .._checks import check_finite_model, checked, described
from ._analog_layers import analog_layers, layers_of, no_model
from ._designing import AbstractDesigning, check_outermost
from ._mixed_signal import (
    DESIGNS,
    Designs,
    MixedSignal,
    NeuronCircuit,
    check_designs,
    check_spread,
    circuit_of,
    crossbar_of,
)
from ._neurons._neuron import AbstractNeuron
from ._synapses._keyed import KeyedMatrix
from ._synapses._synapse import AbstractAnalog
from ._synapses._watched import AbstractWatched
from ._told import tell_digital, tell_ranges, tell_shared

Model = TypeVar("Model")
CONVERTED = (
    "`memsim.nn.convert(model)` makes such layers of those of `equinox.nn`; what a model multiplies by itself, "
    "`self.w @ x`, becomes one as an `equinox.nn.Linear`."
)
NEURONS = 2**31 - 1  # folded into the key, so that neurons and synapses draw from different ones


def neurons(model: Any) -> dict[str, AbstractNeuron]:
    """Every neuron layer of `model`, by its path.

    >>> import jax.random as jr, memsim as ms
    >>> synapses = [ms.nn.Linear(3, 4, key=jr.key(0)), ms.nn.Linear(4, 2, key=jr.key(1))]
    >>> network = ms.nn.SpikingNetwork([synapses[0], ms.nn.LIF(4), synapses[1], ms.nn.LI(2)])
    >>> {path: type(neuron).__name__ for path, neuron in ms.nn.neurons(network).items()}
    {'.layers[1]': 'LIF', '.layers[3]': 'LI'}
    """
    return layers_of(model, AbstractNeuron)


@checked(crossbar=DESIGNS)
def program(model: Model, crossbar: Designs, *, key: Key[Array, ""]) -> Model:
    """`model` fabricated: the weight of every analog layer a freshly programmed `Chip`, neurons as designed.

    `crossbar` is one design for all layers, a function `path, layer -> design`, where `None` leaves a layer digital, or
    a `MixedSignal` that designs the neurons, too. Each layer's randomness comes from `key` folded with its place, so it
    does not depend on the other layers' designs.

    Warns, by path, where a model is not all that it seems: of layers of `equinox.nn` that stay digital (use `convert`),
    of one array that is the weight of two layers, and, unless the model is a network over time whose signals are
    spikes, of converters whose ranges are still the defaults (use `calibrate`).

    **Arguments:**

    - `model`: Digital: a network over time, or any other pytree with layers of `memsim.nn`.
    - `crossbar`: One design, a function of path and layer, `PerLayer` or `MixedSignal`.
    - `key`: Of the chip: the same key is the same chip.

    >>> import equinox as eqx, jax.random as jr, device_models as dm, memsim as ms
    >>> model = ms.nn.convert(eqx.nn.MLP(4, 2, 8, 1, key=jr.key(0)))
    >>> design = ms.Crossbar(dm.pcm_joshi2020())
    >>> chip = ms.program(model, lambda path, layer: None if path == ".layers[1]" else design, key=jr.key(1))
    >>> [isinstance(layer.weight, ms.Chip) for layer in chip.layers]
    [True, False]
    """
    check_designs(crossbar)
    check_holds_layers(model)
    check_outermost(model)
    if isinstance(model, AbstractDesigning):
        return model.holding(program(model.model, model.design(crossbar), key=key))  # pyright: ignore[reportReturnType]
    layers = analog_layers(model)
    if not layers and not isinstance(crossbar, MixedSignal):
        raise ValueError(
            f"`model` must hold a layer that can sit on a crossbar. Got none in {described(model)}. {CONVERTED}"
        )
    designs = {path: crossbar_of(crossbar, path, layer) for path, layer in layers.items()}
    chosen = {path: design for path, design in designs.items() if design is not None}
    circuits = _circuits(model, crossbar)
    weights = {path: digital_weight(path, layers[path]) for path in chosen}
    for path in chosen:
        check_finite_model(layers[path], f"model{path}")
    if chosen or not layers:
        tell_digital(model)
    tell_shared({path: layers[path] for path in chosen})
    tell_ranges(model, chosen)
    chips = {
        path: chosen[path].program(weights[path], key=jr.fold_in(key, place))
        for place, path in enumerate(layers)
        if path in chosen
    }
    neuron_key = jr.fold_in(key, NEURONS)
    fabricated = {
        path: circuit.fabricate(neuron, key=jr.fold_in(neuron_key, place))
        for place, (path, (circuit, neuron)) in enumerate(circuits.items())
        if circuit is not None
    }
    return replace_weights(_replace(model, AbstractNeuron, fabricated), chips)


@checked()
def at(model: Model, t: Any, *, key: Key[Array, ""] | None = None) -> Model:
    """`model` with every `Chip` replaced by the matrix it presents `t` seconds after programming.

    **Arguments:**

    - `model`: From `program`.
    - `t`: Age of all its chips, in seconds, a number or a scalar array.
    - `key`: For the noise of the moment; needed where reads are noisy.

    >>> import equinox as eqx, jax.random as jr, device_models as dm, memsim as ms
    >>> model = ms.nn.convert(eqx.nn.Linear(2, 1, key=jr.key(0)))
    >>> chip = ms.program(model, ms.Crossbar(dm.pcm_joshi2020()), key=jr.key(1))
    >>> hour, year = (ms.at(chip, t, key=jr.key(2)) for t in (3600.0, 3.15e7))
    >>> type(chip.weight).__name__, type(year.weight).__name__
    ('Chip', 'AnalogMatrix')
    """
    matrices = {}
    for place, (path, layer) in enumerate(analog_layers(model).items()):
        if isinstance(layer.weight, Chip):
            matrices[path] = layer.weight.at(t, key=None if key is None else jr.fold_in(key, place))
    if not matrices:
        raise ValueError(
            "The model must hold at least one Chip. Got none; use `memsim.program(model, crossbar, key=...)`."
        )
    return replace_weights(model, matrices)


@checked(crossbar=DESIGNS)
def deploy(model: Model, crossbar: Designs, t: Any, *, key: Key[Array, ""]) -> Model:
    """`program`, then `at` time `t`, with keys split from one.

    **Arguments:** as for `program` and `at`.

    >>> import equinox as eqx, jax.numpy as jnp, jax.random as jr, device_models as dm, memsim as ms
    >>> model = ms.nn.convert(eqx.nn.MLP(4, 2, 8, 1, key=jr.key(0)))
    >>> aged = ms.deploy(model, ms.Crossbar(dm.pcm_joshi2020(), reads=ms.Reads("off")), 86400.0, key=jr.key(1))
    >>> aged(jnp.ones(4)).shape
    (2,)
    """
    program_key, moment_key = jr.split(key)
    made = program(model, crossbar, key=program_key)
    if not any(isinstance(layer.weight, Chip) for layer in analog_layers(made).values()):
        raise ValueError(_no_design(model))
    return at(made, t, key=moment_key)


def layers_on_chips(model: Any, crossbar: Designs) -> dict[str, AbstractAnalog]:
    """The layers of a digital `model` that `crossbar` puts on a chip, by path.

    For what programs `model` in compiled code later: raises `ValueError` for what cannot be deployed, before any work.
    """
    layers = analog_layers(model)
    chosen = {path: layer for path, layer in layers.items() if crossbar_of(crossbar, path, layer) is not None}
    for path, layer in chosen.items():
        digital_weight(path, layer)
    if not chosen:
        raise ValueError(_no_design(model))
    _circuits(model, crossbar)
    return chosen


def check_holds_layers(model: Any) -> None:
    """Raises `ValueError` for what holds no module at all, and so no layer: a name, a function, a class."""
    leaves = jax.tree.leaves(model, is_leaf=_is_module)
    if isinstance(model, type) or not any(map(_is_module, leaves)):
        raise ValueError(no_model(model))


def digital_weight(path: str, layer: AbstractAnalog) -> Float[Array, "outputs inputs"]:
    """The weights of a layer that is not programmed; raises `ValueError` for one that is."""
    if isinstance(layer.weight, Chip | AnalogMatrix | KeyedMatrix | AbstractWatched):
        raise ValueError(
            f"Layer {path} must hold digital weights. Got a {type(layer.weight).__name__}: `model` is on chips "
            "already. Pass the digital one."
        )
    return layer.weight


def share_held(model: Any, layers: dict[str, AbstractAnalog]) -> float:
    """Of all numbers of a digital `model`, the share that these of its layers hold as weights; all of none."""
    held = sum(digital_weight(path, layer).size for path, layer in layers.items())
    whole = sum(leaf.size for leaf in jax.tree.leaves(eqx.filter(model, eqx.is_inexact_array)))
    return held / whole if whole else 1.0


def replace_weights(model: Model, weights: dict[str, Any]) -> Model:
    """`model` with new weights in the analog layers that `weights` names by path."""
    layers = analog_layers(model)
    changed = {
        path: eqx.tree_at(lambda layer: layer.weight, layers[path], weight, is_leaf=lambda leaf: leaf is None)
        for path, weight in weights.items()
    }
    return _replace(model, AbstractAnalog, changed)


def _circuits(model: Any, crossbar: Designs) -> dict[str, tuple[NeuronCircuit | None, AbstractNeuron]]:
    """The neuron layers of `model` by path, each with the circuit that `crossbar` gives it."""
    circuits = {path: (circuit_of(crossbar, path, neuron), neuron) for path, neuron in neurons(model).items()}
    check_spread([(circuit, neuron) for circuit, neuron in circuits.values() if circuit is not None])
    return circuits


def _no_design(model: Any) -> str:
    layers = analog_layers(model)
    if not layers:
        return f"`model` must hold a layer that can sit on a crossbar. Got none in {described(model)}. {CONVERTED}"
    paths = ", ".join(layers)
    return f"`crossbar` must give at least one layer a design. It gives no layer a design: None for {paths}."


def _is_module(node: Any) -> bool:
    return isinstance(node, eqx.Module)


def _replace(model: Model, kind: type, layers: dict[str, Any]) -> Model:
    def swap(path, node):
        return layers.get(jax.tree_util.keystr(path), node) if isinstance(node, kind) else node

    return jax.tree_util.tree_map_with_path(swap, model, is_leaf=lambda node: isinstance(node, kind))
