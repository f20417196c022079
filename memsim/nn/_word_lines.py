"""What drives the word lines of each layer while a model runs on data."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Key, Num

from .._checks import check_finite, that
from ._calling import as_sample, called, is_network, output_shape
from ._deploy import analog_layers, replace_weights
from ._synapses._watched import Seen, Watched

SAMPLES = that("a batch of samples as one array of finite numbers, such as `data.train.inputs`", np.isfinite)
Lines = dict[str, Array]  # path of a layer -> (..., lines)


def checked_samples(model: Any, xs: Any) -> Array:
    """A batch of samples as floats; raises `ValueError` for what is none, or does not fit `model`."""
    xs = as_sample(model, xs, "xs")
    if xs.ndim < 1 or xs.size == 0:
        raise ValueError(f"`xs` must be a batch of at least one sample. Got shape {xs.shape}.")
    check_finite("xs", xs, "Fill the gaps first.")
    try:
        output_shape(model, xs[0])
    except ValueError as error:
        raise ValueError(
            f"`xs` must be a batch of samples of `model`, the batch on its first axis. Got shape {xs.shape}: {error}"
        ) from error
    return xs


def word_lines(model: Any, xs: Num[Array, "batch *sample"], key: Key[Array, ""] | None) -> Lines:
    """What the word lines of each analog layer are driven with while `model` runs on each of `xs`.

    The layers of a network record their inputs: (sequences, steps, reads a step, lines). All others are watched, within
    whatever module calls them: (reads, lines). Raises `ValueError` for a layer that no sample reaches.
    """
    xs, layers = as_sample(model, xs, "xs"), analog_layers(model)
    keys = None if key is None else jr.split(key, xs.shape[0])
    inputs = _recorded(model, xs, keys) if is_network(model) else {}
    found = {path: jax.vmap(jax.vmap(layers[path].word_lines))(x) for path, x in inputs.items() if path in layers}
    missing = [path for path in layers if path not in found]
    seen = _seen(model, xs, keys, missing) if missing else {}
    for path in missing:
        if path not in seen:
            raise ValueError(
                f"Each analog layer must be called when the model runs. Got no call of {path}; give it a design "
                "with ranges of its own, or None."
            )
        each = [jax.vmap(layers[path].word_lines)(jnp.asarray(x)) for x in seen[path]]
        found[path] = jnp.concatenate([lines.reshape(-1, lines.shape[-1]) for lines in each])
    return {path: found[path] for path in layers}


@eqx.filter_jit
def _recorded(model: Any, xs: Array, keys: Array | None) -> dict[str, Array]:
    """The inputs of the layers of a network, by path."""
    return jax.vmap(lambda x, key: model(x, key=key, record="inputs")[1]["inputs"])(xs, keys)


def _seen(model: Any, xs: Array, keys: Array | None, paths: list[str]) -> dict[str, list[np.ndarray]]:
    """The inputs of the layers at `paths`, whatever module calls them."""
    seen = Seen()

    def watched(ready: Any) -> Any:
        layers = analog_layers(ready)
        return replace_weights(ready, {path: Watched(layers[path].weight, path, seen) for path in paths})

    @eqx.filter_jit
    def run(model: Any, xs: Array, keys: Array | None) -> Any:
        def one(x: Array, key: Array | None) -> Any:
            return called(model, x, key, watched)

        return jax.vmap(one)(xs, keys)

    jax.block_until_ready(run(model, xs, keys))
    jax.effects_barrier()
    return seen.inputs
