"""Initial weights from how membranes should fluctuate below their thresholds."""

from dataclasses import replace

import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, Key

from .._checks import checked, fraction, positive, that
from ._deploy import analog_layers, digital_weight, replace_weights
from ._networks._network import SpikingNetwork
from ._neurons._firing import Firing
from ._neurons._leak import Leak
from ._neurons._neuron import AbstractNeuron
from ._neurons._parameters import value
from ._stages import Stage, changed, stages, with_bias
from ._synapses._synapse import AbstractAnalog


@checked(
    xi=positive("in standard deviations"),
    mean=that("finite and below 1, the threshold", lambda x: np.isfinite(x) & (x < 1)),
    alpha=fraction(zero=False),
)
def fluctuation_driven(
    model: SpikingNetwork,
    *,
    rate: float,
    hidden_rate: float | None = None,
    variance: float | None = None,
    xi: float = 1.0,
    mean: float = 0.0,
    alpha: float = 0.9,
    key: Key[Array, ""],
) -> SpikingNetwork:
    r"""`model` with weights under which membranes fluctuate by a stated amount below their thresholds.

    Without its reset a membrane is the input filtered by a kernel $\kappa$. For $n$ independent inputs of mean $\nu$
    and variance $v$ a step, weights of mean $\mu_W$ and standard deviation $\sigma_W$ give it the mean $\mu_U = n \mu_W
    \nu \sum \kappa$ and the variance over time, averaged over neurons, $\sigma_U^2 = n (\sigma_W^2 + \mu_W^2) v \sum
    \kappa^2$. They are drawn so that the threshold is `xi` standard deviations above the mean. For a leak $\alpha$ and
    gain $g$, $\sum \kappa = g / (1 - \alpha)$ and $\sum \kappa^2 = g^2 / (1 - \alpha^2)$; a synaptic filter in front
    multiplies in. Recurrent weights have mean zero; biases become zero. A readout counts as having threshold 1.

    **Arguments:**

    - `model`: Synapses each followed by its neurons; only `Delay` and `Flatten` may stand between.
    - `rate`: Mean of the inputs of the network, in spikes a step.
    - `hidden_rate`: The same expected of hidden neurons; `rate` by default.
    - `variance`: Of the inputs a step; that of spikes, rate (1 - rate), by default.
    - `xi`: $\xi = (\theta - \mu_U) / \sigma_U$.
    - `mean`: $\mu_U$ over the threshold.
    - `alpha`: Share of the variance that comes from the layer before, where there is recurrence, too.
    - `key`: For the weights.

    Reference: Rossbroich2022.

    >>> import jax.random as jr, memsim as ms
    >>> network = ms.nn.SpikingNetwork([ms.nn.Linear(200, 100, key=jr.key(0)), ms.nn.LI(100)])
    >>> driven = ms.nn.fluctuation_driven(network, rate=0.05, xi=2.0, key=jr.key(1))
    >>> membranes = driven(jr.bernoulli(jr.key(2), 0.05, (500, 200)).astype(float))
    >>> print(f"{membranes.std(0).mean():.1f}")  # half a threshold
    0.5
    """
    first = _statistics("rate", rate, variance)
    hidden = _statistics("hidden_rate", rate if hidden_rate is None else hidden_rate, None)
    layers, drawn = analog_layers(model), {}
    for place, stage in enumerate(stages(model)):
        if stage.between:
            raise ValueError(
                f"Only Delay and Flatten may stand before the neurons at {stage.path}. Got {', '.join(stage.between)}. "
                "Use `scaled_to_rate`, which measures."
            )
        sums = kernel_sums(stage.path, stage.neuron)
        threshold = _threshold(stage.neuron)
        std = threshold * (1 - mean) / xi
        own_key, recurrent_key = jr.split(jr.fold_in(key, place))
        share = 1.0 if stage.recurrent is None else alpha
        if stage.forward is not None:
            inputs = first if place == 0 else hidden
            wanted = (threshold * mean, std * share**0.5)
            drawn[stage.forward] = _drawn(stage, layers[stage.forward], inputs, wanted, sums, own_key)
        if stage.recurrent is not None:
            wanted = (0 * threshold, std * (1 - share) ** 0.5)
            drawn[stage.recurrent] = _drawn(stage, layers[stage.recurrent], hidden, wanted, sums, recurrent_key)
    model = replace_weights(model, drawn)
    return changed(model, set(drawn), lambda path, layer: with_bias(layer, lambda bias: jnp.zeros_like(bias)))


def kernel_sums(path: str, neuron: AbstractNeuron) -> tuple[Array, Array]:
    """Sum and sum of squares over time of what one unit of input leaves on a membrane that is never reset."""
    linear = {"firing": Firing(reset="none"), "synaptic_delay": 0}  # neither changes the sums
    neuron = replace(neuron, **{name: setting for name, setting in linear.items() if name in vars(neuron)})
    filters = neuron.filters(neuron.coefficients())
    if filters is None or len(filters) > 2 or any(f.decay is None or jnp.iscomplexobj(f.decay) for f in filters):
        raise ValueError(
            f"The neurons at {path} must be leaky, with at most one synaptic filter. Got {type(neuron).__name__}; use "
            "`scaled_to_rate`, which measures."
        )
    decays, gain = [_decay(f) for f in filters], jnp.ones(())
    for f in filters:
        gain = gain if f.gain is None else gain * f.gain
    total, squares = gain, gain**2
    for decay in decays:
        total, squares = total / (1 - decay), squares / (1 - decay**2)
    if len(decays) == 2:
        both = decays[0] * decays[1]
        squares = squares * (1 + both) / (1 - both)
    return total, squares


def _decay(leak: Leak) -> Array:
    assert leak.decay is not None
    return leak.decay


def _threshold(neuron: AbstractNeuron) -> Array:
    """How far the threshold is above rest."""
    own = vars(neuron)
    if not neuron.spiking:
        return jnp.ones(())
    if "threshold" not in own:
        raise ValueError(
            f"Neurons that spike must have a field `threshold`. Got {type(neuron).__name__}; add it, or use "
            "`scaled_to_rate`, which measures."
        )
    return value(own["threshold"]) - value(own.get("v_rest", 0.0))


def _drawn(
    stage: Stage,
    layer: AbstractAnalog,
    inputs: tuple[float, float],
    wanted: tuple[Array, Array],
    sums: tuple[Array, Array],
    key: Key[Array, ""],
) -> Float[Array, "outputs inputs"]:
    (rate, variance), (mean_u, std_u), (total, squares) = inputs, wanted, sums
    w = digital_weight(stage.path, layer)
    mean_w = mean_u / (w.shape[1] * rate * total)
    variance_w = std_u**2 / (w.shape[1] * variance * squares) - mean_w**2
    if not np.all(np.asarray(variance_w) >= 0):
        raise ValueError(
            f"`mean` must be reachable with `xi`. Got a mean that alone makes the membranes at {stage.path} fluctuate "
            "more than that; lower `mean` or `xi`."
        )
    mean_w, std_w = (_by_row(stage, x, w.shape[0]).astype(w.dtype) for x in (mean_w, jnp.sqrt(variance_w)))
    return jnp.broadcast_to(mean_w, w.shape) + jnp.broadcast_to(std_w, w.shape) * jr.normal(key, w.shape, w.dtype)


def _by_row(stage: Stage, x: Array, rows: int) -> Float[Array, "outputs 1"]:
    """What holds for each neuron, for the row of weights that drives it."""
    by_row = jnp.broadcast_to(x, stage.neuron.shape).reshape(rows, -1)
    if not np.allclose(by_row, by_row[:, :1], rtol=1e-4):
        raise ValueError(f"Neurons that share weights must have equal parameters. Got others at {stage.path}.")
    return by_row[:, :1]


def _statistics(name: str, rate: float, variance: float | None) -> tuple[float, float]:
    if not rate > 0 or (variance is None and rate >= 1):
        raise ValueError(
            f"`{name}` must be in (0, 1) spikes a step, or any positive mean with `variance=`. Got {rate}. From Hz? "
            "Multiply by dt."
        )
    variance = rate * (1 - rate) if variance is None else variance
    if not variance > 0:
        raise ValueError(f"`variance` of the inputs must be positive. Got {variance}.")
    return rate, variance
