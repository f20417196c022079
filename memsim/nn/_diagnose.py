"""What is wrong with a network, in numbers and in words."""

from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Key, Shaped

from .._array import AnalogMatrix, Crossbar, nonzero, spread_rows
from .._checks import checked
from ._calling import call, check_model, evaluating, is_network
from ._deploy import CONVERTED, analog_layers, replace_weights, share_held
from ._mixed_signal import DESIGNS, Designs, check_designs, crossbar_of
from ._synapses._synapse import AbstractAnalog, KeyedMatrix, presented
from ._word_lines import SAMPLES, checked_samples, word_lines

SATURATED = 0.9  # spikes a step
MANY = 0.5  # fraction of neurons, or of weights, from which it is worth a sentence
FAR = 1e3  # ratio of two layers' gradients that is worth a sentence
OUTLIERS = 0.1  # mean weight over the scale; about 0.25 for normal weights


class Activity(NamedTuple):
    """What a layer of spiking neurons did on a batch.

    `rate` is in spikes a neuron and step, `silent` the fraction of neurons that never fired, and `saturated` that of
    neurons that fired more than 0.9 times a step.
    """

    rate: float
    silent: float
    saturated: float


class Use(NamedTuple):
    """What a synapse layer met on a batch, and how a crossbar would hold it.

    `input_rms` is the root mean square of its inputs, `weight_rms` of its weights, `gradient` the norm of the gradient
    of its weights, and `range_used` the mean weight magnitude over the largest of its output (of its scale on the
    crossbar, if one is given). `under_noise` is the fraction of weights smaller than the crossbar's write error.
    """

    input_rms: float
    weight_rms: float
    gradient: float
    range_used: float
    under_noise: float | None


class Diagnosis(NamedTuple):
    """Numbers by the paths of the layers, and `findings` in words; `str` is the findings, one a line.

    - `neurons`, `synapses`: By path, activity of neurons and use of weights.
    - `findings`: One sentence each.

    >>> import jax.numpy as jnp, jax.random as jr, memsim as ms
    >>> network = ms.nn.SpikingNetwork([ms.nn.Linear(3, 4, gain=0.01, key=jr.key(0)), ms.nn.LIF(4)])
    >>> found = ms.nn.diagnose(network, jnp.ones((2, 20, 3)))
    >>> list(found.neurons), list(found.synapses)
    (['.layers[1]'], ['.layers[0]'])
    """

    neurons: dict[str, Activity]
    synapses: dict[str, Use]
    findings: tuple[str, ...]

    def __str__(self) -> str:
        return "\n".join(self.findings) or "Nothing stands out."


@checked(xs=SAMPLES, crossbar=DESIGNS)
def diagnose(
    model: Any,
    xs: Shaped[Array, "batch *sample"] | np.ndarray | list,
    *,
    key: Key[Array, ""] | None = None,
    loss: Callable[..., Any] | None = None,
    labels: Any = None,
    crossbar: Designs | None = None,
) -> Diagnosis:
    """Looks for layers that are silent, saturated, out of reach of the gradient, or hard to hold on a crossbar.

    **Arguments:**

    - `model`: Digital or deployed: a network over time, or any other model that is called on one sample.
    - `xs`: A batch of samples, of a network of sequences; a few dozen are enough.
    - `key`: For layers with noise.
    - `loss`: `loss(outputs, label)` of one sample, or `loss(outputs)` without `labels`; the sum of the outputs by
      default.
    - `labels`: A label for each sample.
    - `crossbar`: A design, or a function `path, layer -> design | None`, to ask whether it can hold the weights.

    >>> import jax.numpy as jnp, jax.random as jr, memsim as ms
    >>> network = ms.nn.SpikingNetwork([ms.nn.Linear(3, 4, gain=0.01, key=jr.key(0)), ms.nn.LIF(4)])
    >>> found = ms.nn.diagnose(network, jnp.ones((2, 20, 3)))
    >>> print(found.findings[0][:48])
    .layers[1]: 100% of the neurons never fire. Rais
    """
    check_model(model)
    if crossbar is not None:
        check_designs(crossbar)
    xs = checked_samples(model, xs)
    keys = None if key is None else jr.split(key, xs.shape[0])
    model = evaluating(model)
    spikes, inputs, finite = _run(model, xs, keys) if is_network(model) else _watched(model, xs, key, keys)
    gradients = _gradients(model, xs, keys, loss, labels)
    neurons = {path: _activity(np.asarray(rates)) for path, rates in spikes.items()}
    synapses = {}
    layers = analog_layers(model)
    for place, (path, layer) in enumerate(layers.items()):
        design = None if crossbar is None else crossbar_of(crossbar, path, layer)
        # Without a key, as a fixed test pattern would: the error of one write is what is asked for.
        own_key = jr.fold_in(jr.key(0) if key is None else key, place)
        w = presented(layer.weight)
        range_used, under_noise = _held(w, design, own_key)
        rms = float(jnp.sqrt(jnp.mean(w**2)))
        under = None if under_noise is None else float(under_noise)
        synapses[path] = Use(float(inputs[path]), rms, float(gradients[path]), float(range_used), under)
    found = _findings(neurons, synapses, bool(finite)) + _of_the_rest(model, layers)
    return Diagnosis(neurons, synapses, tuple(found))


@eqx.filter_jit
def _run(model: Any, xs: Array, keys: Array | None) -> tuple[dict[str, Array], dict[str, Array], Array]:
    """Mean spikes a step of each neuron, root mean square of the inputs of each synapse, whether outputs are finite."""
    ys, found = jax.vmap(lambda x, key: model(x, key=key, record=("spikes", "inputs")))(xs, keys)
    rates = {path: jnp.mean(s, axis=(0, 1)) for path, s in found["spikes"].items()}
    return rates, {path: jnp.sqrt(jnp.mean(x**2)) for path, x in found["inputs"].items()}, jnp.all(jnp.isfinite(ys))


def _watched(
    model: Any, xs: Array, key: Key[Array, ""] | None, keys: Array | None
) -> tuple[dict[str, Array], dict[str, Array], Array]:
    """As `_run`, of a model that is no network, and so has no spikes that are known as such."""
    finite = jnp.all(jnp.isfinite(eqx.filter_jit(_outputs)(model, xs, keys)))
    return {}, {path: jnp.sqrt(jnp.mean(x**2)) for path, x in word_lines(model, xs, key).items()}, finite


def _outputs(model: Any, xs: Array, keys: Array | None) -> Array:
    return jax.vmap(lambda x, key: call(model, x, key=key))(xs, keys)


@eqx.filter_jit
def _gradients(
    model: Any, xs: Array, keys: Array | None, loss: Callable[..., Any] | None, labels: Any
) -> dict[str, Array]:
    """Norm of the gradient of the weights of each analog layer, in weight units for a deployed one, too."""
    layers = analog_layers(model)

    def total(weights: dict[str, Array]) -> Array:
        placed = {path: _placed(layers[path].weight, w) for path, w in weights.items()}
        ys = _outputs(replace_weights(model, placed), xs, keys)
        if loss is None:
            return jnp.sum(ys) / xs.shape[0]
        return jnp.mean(jax.vmap(loss)(ys) if labels is None else jax.vmap(loss)(ys, labels))

    slopes = jax.grad(total)({path: presented(layer.weight) for path, layer in layers.items()})
    return {path: jnp.sqrt(jnp.sum(slope**2)) for path, slope in slopes.items()}


def _placed(weight: Any, w: Array) -> Any:
    """`weight` presenting `w`."""
    if isinstance(weight, KeyedMatrix):
        return eqx.tree_at(lambda keyed: keyed.matrix, weight, _placed(weight.matrix, w))
    if isinstance(weight, AnalogMatrix):
        return eqx.tree_at(lambda matrix: matrix.weight, weight, weight.in_codes(w))
    return w


def _activity(rates: np.ndarray) -> Activity:
    return Activity(float(rates.mean()), float((rates == 0).mean()), float((rates > SATURATED).mean()))


@eqx.filter_jit
def _held(w: Array, design: Crossbar | None, key: Key[Array, ""]) -> tuple[Array, Array | None]:
    """Mean of the range that the weights use, and the fraction of them under the write error."""
    if design is None:
        largest = jnp.max(jnp.abs(w), axis=1, keepdims=True)
        return jnp.mean(jnp.abs(w) / jnp.where(largest > 0, largest, 1.0)), None
    scale = spread_rows(nonzero(design.mapping.scales(w.T, design.tile)), w.shape[1], design.tile[0]).T
    error = design.deploy(w, 0.0, key=key).effective_weight - w
    relative = jnp.abs(w) / scale
    noise = jnp.sqrt(jnp.mean((error / scale) ** 2))
    return jnp.mean(relative), jnp.mean((relative < noise).astype(w.dtype))


def _findings(neurons: dict[str, Activity], synapses: dict[str, Use], finite: bool) -> list[str]:
    found = [] if finite else ["The outputs are not finite. Lower the weights or the learning rate."]
    for path, seen in neurons.items():
        found += _of_neurons(path, seen)
    last = list(synapses.values())[-1].gradient if synapses else 0.0
    for path, use in synapses.items():
        found += _of_gradient(path, use.gradient, last) + _of_weights(path, use)
    return found


def _of_the_rest(model: Any, layers: dict[str, AbstractAnalog]) -> list[str]:
    """What no crossbar can hold, of a model that is not on chips yet."""
    digital = all(eqx.is_array(layer.weight) for layer in layers.values())
    share = share_held(model, layers) if digital else 1.0
    if share >= MANY:
        return []
    return [f"{share:.1%} of its numbers are in layers that can sit on a crossbar. The rest stays digital. {CONVERTED}"]


def _of_neurons(path: str, seen: Activity) -> list[str]:
    found = []
    if seen.silent >= MANY:
        found.append(
            f"{path}: {seen.silent:.0%} of the neurons never fire. Raise the weights into them "
            "(`memsim.nn.scaled_to_rate`), or lower their threshold."
        )
    if seen.saturated >= MANY:
        found.append(
            f"{path}: {seen.saturated:.0%} of the neurons fire in nearly every step. Lower the weights into them "
            "(`memsim.nn.scaled_to_rate`), or raise their threshold."
        )
    return found


def _of_gradient(path: str, gradient: float, last: float) -> list[str]:
    if not np.isfinite(gradient):
        return [f"{path}: its gradient is not finite. Clip gradients, or lower the weights."]
    if gradient == 0:
        return [f"{path}: no gradient reaches it. Are the layers behind it silent, or is the surrogate too narrow?"]
    if gradient * FAR < last:
        return [
            f"{path}: its gradient vanishes, {gradient / last:.0e} of that of the last layer. Use a wider surrogate, "
            "or raise the rates of the layers behind it."
        ]
    if gradient > last * FAR > 0:
        return [
            f"{path}: its gradient explodes, {gradient / last:.0e} times that of the last layer. Use a narrower "
            "surrogate, lower recurrent weights, or clip gradients."
        ]
    return []


def _of_weights(path: str, use: Use) -> list[str]:
    found = []
    if use.input_rms == 0:
        found.append(f"{path}: all its inputs are zero. Look at the layer before it, or at the data.")
    if use.range_used < OUTLIERS:
        found.append(
            f"{path}: its weights use {use.range_used:.1%} of the conductance range on average, because single large "
            "ones set the scale. Clip the weights while training (`clip=` of `memsim.train.fit`)."
        )
    if use.under_noise is not None and use.under_noise >= MANY:
        found.append(
            f"{path}: {use.under_noise:.0%} of its weights are smaller than the error of one write. Train with the "
            "hardware's noise, clip the weights, or choose a mapping with more cells a weight."
        )
    return found
