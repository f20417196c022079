"""A network as chips see it: layers of neurons, each with all the synapses that reach it."""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from ...nn import (
    IF,
    LI,
    LIF,
    AbstractConv,
    AbstractLayer,
    AbstractNeuron,
    CuBaLI,
    CuBaLIF,
    DelayedLinear,
    Firing,
    Integrator,
    Linear,
    Recurrent,
    SpikingNetwork,
    Stateless,
)
from ...nn._layer import Shape
from ...nn._neurons._leak import Leak
from ...nn._neurons._parameters import value
from ...nn._synapses._synapse import presented
from ._fit import Unfit
from ._matrix import AFFINE, moves_only, written_out

NEURONS = (LIF, CuBaLIF, IF, LI, CuBaLI, Integrator)


class Synapses(NamedTuple):
    """All synapses from one layer to the next, a row for each neuron, or for those that share a kernel.

    **Arguments:**

    - `weight`: Its rows; of a convolution those of `AbstractConv.weight`, each shared by `units / rows` neurons.
    - `bias`: Of each neuron.
    - `delays`: Of each synapse, in steps, if they have any.
    """

    weight: Float[Array, "rows inputs"]
    bias: Float[Array, " units"]
    delays: Int[Array, "rows inputs"] | None

    def per_row(self, values: Float[Array, " units"]) -> Float[Array, "rows 1"]:
        """One of the `values` of the neurons of each row, which are the same."""
        return values.reshape(self.weight.shape[0], -1)[:, :1]


class Dynamics(NamedTuple):
    r"""A layer of neurons in numbers a step: $I = \beta I + x$, $v = \alpha v + I + o$, from a rest of zero.

    The input $x$ is the sum over synapses times `gain`; `current_decay` is `None` where it enters the membrane in its
    own step. `threshold` is `None` for a readout.
    """

    decay: Float[Array, " units"]
    current_decay: Float[Array, " units"] | None
    gain: Float[Array, " units"]
    offset: Float[Array, " units"]
    threshold: Float[Array, " units"] | None
    v_reset: Float[Array, " units"]
    rest: Float[Array, " units"]
    firing: Firing | None
    synaptic_delay: int
    refractory: int
    dt: float | None


class Habits(NamedTuple):
    """What neurons do in their own way, whatever their membrane follows: how they fire, and when."""

    firing: Firing | None
    synaptic_delay: int
    refractory: int
    synaptic_current: bool


class Stage(eqx.Module):
    """One layer of neurons, with the row of synapses before it and what feeds its spikes back."""

    path: str = eqx.field(static=True)
    row: tuple[AbstractLayer, ...]
    neuron: AbstractNeuron
    recurrent: AbstractLayer | None
    input_shape: Shape = eqx.field(static=True)

    @property
    def inputs(self) -> int:
        return _size(self.input_shape)

    @property
    def size(self) -> int:
        return _size(self.neuron.shape)

    @property
    def convolution(self) -> AbstractConv | None:
        """The one convolution that all synapses are, if they are, and the gains of neurons are alike in a channel."""
        if len(self.row) != 1 or not isinstance(self.row[0], AbstractConv) or not isinstance(self.neuron, NEURONS):
            return None
        given: Any = self.neuron.coefficients()
        leaks = [leak for leak in jax.tree.leaves(given, is_leaf=_is_leak) if _is_leak(leak)]
        alike = all(all(length == 1 for length in jnp.shape(leak.gain)[1:]) for leak in leaks if leak.gain is not None)
        return self.row[0] if alike else None

    def synapses(self) -> Synapses:
        """The row as a matrix, of a convolution its kernel; raises `Unfit` where it is neither."""
        kernel = self.convolution
        if kernel is None:
            return as_matrix(self.row, self.input_shape, self.path)
        weight = presented(kernel.weight)
        bias = jnp.zeros(weight.shape[0]) if kernel.bias is None else kernel.bias
        return Synapses(weight, jnp.repeat(bias, self.size // weight.shape[0]), None)

    def feedback(self) -> Synapses | None:
        """The recurrent synapses as a matrix."""
        if self.recurrent is None:
            return None
        return as_matrix((self.recurrent,), self.neuron.shape, f"{self.path}.synapse")

    def habits(self) -> Habits:
        """How the neurons fire."""
        return _habits(self.neuron)

    def dynamics(self) -> Dynamics:
        """What the neurons do in a step; raises `Unfit` for neurons that are no leaks of their inputs."""
        return _dynamics(self.neuron, self.path)


def stages(network: Any, input_shape: Shape | None = None) -> tuple[Stage, ...]:
    """The layers of neurons of a `network`, one after the other.

    Raises `Unfit` for what is no row of layers that end in neurons, by path.
    """
    if not isinstance(network, SpikingNetwork):
        raise Unfit(
            "",
            "a network in a row",
            type(network).__name__,
            "Chips for spikes take a `memsim.nn.SpikingNetwork`; NIR files give one. One of values goes on "
            "`loihi2_sigma_delta()`, `akida()` or `brainscales2_vmm()`.",
        )
    found, row, shape = [], [], input_shape
    for path, layer in _flat(network, ""):
        if isinstance(layer, AbstractNeuron | Recurrent):
            before = _known(row, shape, layer, path)
            neuron, feedback = (layer.neuron, layer.synapse) if isinstance(layer, Recurrent) else (layer, None)
            found.append(Stage(path, tuple(row), neuron, feedback, before))
            row, shape = [], neuron.shape
        else:
            row.append(layer)
    if row or not found:
        remedy = "Append `LIF` or `LI`; a network without neurons goes on chips for values."
        raise Unfit("", "layers that end in neurons", f"{len(row)} synapse layers at the end", remedy)
    return tuple(found)


def _flat(layer: Any, path: str) -> list[tuple[str, Any]]:
    if not isinstance(layer, SpikingNetwork):
        return [(path, layer)]
    inner = [_flat(each, f"{path}.layers[{place}]") for place, each in enumerate(layer.layers)]
    return [each for part in inner for each in part]


def _known(row: list[Any], shape: Shape | None, neuron: AbstractLayer, path: str) -> Shape:
    """Shape of one step's input of a row of synapses."""
    if shape is not None:
        return shape
    first = row[0] if row else neuron
    if isinstance(first, Linear | DelayedLinear):
        return (first.in_features,) if isinstance(first.in_features, int) else ()
    own = first.output_shape(None) if not row else None
    if own is None:
        raise Unfit(path, "an input of known shape", "none", "Pass `input_shape=`, that of one step.")
    return own


def as_matrix(row: tuple[AbstractLayer, ...], shape: Shape, path: str) -> Synapses:
    """A row of linear layers as one matrix, its bias, and its delays."""
    for layer in row:
        known = isinstance(layer, AFFINE) or (isinstance(layer, DelayedLinear) and len(row) == 1)
        if not known and not (isinstance(layer, Stateless) and moves_only(layer, shape)):
            raise Unfit(
                path,
                "synapses that are one matrix",
                type(layer.layer if isinstance(layer, Stateless) else layer).__name__,
                "Leave out dropout; fold norms by `memsim.nn.fold_batch_norm`; let neurons be the nonlinearity.",
            )
    if len(row) == 1 and isinstance(row[0], Linear | DelayedLinear):
        layer = row[0]
        weight = presented(layer.weight)
        bias = jnp.zeros(weight.shape[0]) if layer.bias is None else layer.bias
        return Synapses(weight, bias, layer.delays if isinstance(layer, DelayedLinear) else None)
    weight, bias = written_out([*row], shape, path)  # pyright: ignore[reportArgumentType]
    return Synapses(weight, bias, None)


def _dynamics(neuron: AbstractNeuron, path: str) -> Dynamics:
    if not isinstance(neuron, NEURONS):
        known = ", ".join(kind.__name__ for kind in NEURONS)
        raise Unfit(path, f"neurons that leak and fire: {known}", type(neuron).__name__, "Train with one of these.")
    given: Any = neuron.coefficients()
    threshold = v_reset = None
    synapse: Leak | None = None
    if isinstance(neuron, LIF | IF):
        membrane, threshold, v_reset = given
    elif isinstance(neuron, CuBaLIF):
        synapse, membrane, threshold, v_reset = given
    elif isinstance(neuron, CuBaLI):
        synapse, membrane = given
    else:
        membrane = given
    rest = value(getattr(neuron, "v_rest", 0.0))
    habits = _habits(neuron)

    def units(x: Any, otherwise: float) -> Float[Array, " units"]:
        x = jnp.asarray(otherwise if x is None else x, jnp.result_type(float))
        return jnp.broadcast_to(x, neuron.shape).reshape(-1)

    gain = units(membrane.gain, 1.0) * (units(synapse.gain, 1.0) if synapse is not None else 1.0)
    return Dynamics(
        decay=units(membrane.decay, 1.0),
        current_decay=None if synapse is None else units(synapse.decay, 1.0),
        gain=gain,
        offset=jnp.zeros(_size(neuron.shape)),  # the membrane is counted from its rest
        threshold=None if threshold is None else units(threshold, 1.0) - units(rest, 0.0),
        v_reset=units(v_reset, 0.0) - (units(rest, 0.0) if v_reset is not None else 0.0),
        rest=units(rest, 0.0),
        firing=habits.firing,
        synaptic_delay=habits.synaptic_delay,
        refractory=habits.refractory,
        dt=neuron.dt,
    )


def _habits(neuron: Any) -> Habits:
    firing = getattr(neuron, "firing", None)
    refractory = 0 if firing is None else round(firing.refractory / neuron.dt)
    filtered = isinstance(neuron, CuBaLIF | CuBaLI)
    return Habits(firing, getattr(neuron, "synaptic_delay", 0), refractory, filtered)


def _size(shape: Shape) -> int:
    size = 1
    for length in shape:
        size *= length
    return size


def _is_leak(node: Any) -> bool:
    return isinstance(node, Leak)
