"""Read noise that is fresh in every read, or one draw for all of them, and what a network makes of it."""

import dataclasses
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import xarray as xr

import memsim as ms
from _runs import Run

KINDS = ("white", "frozen")
NOISY = ("chip", "kind", "noise_scale")
DIMENSIONS = {  # of what `compared` finds, beside outcomes
    "weight_noise": ("chip",),
    "spike_rate": ("chip", "step"),
    "readout_size": ("chip", "step"),
    "score_size": ("chip",),
    "spike_deviation": (*NOISY, "step"),
    "readout_deviation": (*NOISY, "step"),
    "score_deviation": NOISY,
}


@eqx.filter_jit
def fabricate(weights, crossbar, chips, *, key) -> list[ms.AnalogMatrix]:
    """The matrices of each chip, whatever network the `weights` are of: compiled once for all numbers of steps."""

    def one_chip(number):
        keys = jr.split(jr.fold_in(key, number), len(weights))
        return [crossbar.deploy(w, 0.0, key=layer_key) for w, layer_key in zip(weights, keys, strict=True)]

    return jax.lax.map(one_chip, chips)


@eqx.filter_jit
def compared(model, matrices, xs, labels, scales, *, key) -> dict[str, Any]:
    """What each chip does without read noise, and how far noise of each kind and scale takes it from there."""

    def one_chip(inputs):
        matrices, key = inputs
        still = Run.of(model, [dataclasses.replace(matrix, noise=None) for matrix in matrices], xs)
        alone = {
            "noiseless": still.outcome(labels),
            "weight_noise": jnp.mean(jnp.stack([relative_noise(matrix) for matrix in matrices])),
            **still.size(),
        }

        def at_scale(scale):
            draw_key, read_key = jr.split(key)  # the same draws at every scale
            louder = [dataclasses.replace(matrix, noise=noise_of(matrix).ramped(scale)) for matrix in matrices]
            keys = jr.split(draw_key, len(louder))
            stills = [frozen(matrix, key=key) for matrix, key in zip(louder, keys, strict=True)]
            runs = Run.of(model, louder, xs, key=read_key), Run.of(model, stills, xs)  # in the order of KINDS
            found = [{"noisy": run.outcome(labels), **run.deviation(still)} for run in runs]
            return jax.tree.map(lambda *values: jnp.stack(values), *found)

        by_scale = jax.lax.map(at_scale, scales)
        return alone | jax.tree.map(lambda values: jnp.swapaxes(values, 0, 1), by_scale)

    return jax.lax.map(one_chip, (matrices, jr.split(key, matrices[0].weight.shape[0])))


def relative_noise(matrix: ms.AnalogMatrix) -> jax.Array:
    """Root mean square of the read noise over that of the weights."""
    return jnp.sqrt(jnp.mean(noise_of(matrix).variance) / jnp.mean(matrix.weight**2))


def noise_of(matrix: ms.AnalogMatrix) -> Any:
    """The read noise that is there."""
    assert matrix.noise is not None, "cells of this experiment are noisy"
    return matrix.noise


def frozen(matrix: ms.AnalogMatrix, *, key) -> ms.AnalogMatrix:
    """One draw of the read noise for all reads.

    `Reads("per_moment")` draws conductances, which stay positive: 2 % less variance at the published
    noise, 6 % less at four times. Here the variance is that of `per_read` exactly.
    """
    draw = jnp.sqrt(noise_of(matrix).variance) * jr.normal(key, matrix.weight.shape, matrix.weight.dtype)
    return dataclasses.replace(matrix, weight=matrix.weight + draw, noise=None)


def with_differences(result: xr.Dataset) -> xr.Dataset:
    """With what noise changes, relative to what there is to change."""
    changed, moved = result.spike_deviation / result.spike_rate.mean("step"), result.readout_deviation
    return result.assign(
        lost_accuracy=result.noiseless_accuracy - result.accuracy,
        score_error=result.score_deviation / result.score_size,
        spike_growth=growth(changed, result.steps),
        readout_growth=growth(moved / result.readout_size, result.steps),
    )


def growth(deviation: xr.DataArray, steps: xr.DataArray) -> xr.DataArray:
    """Mean `deviation` in the last third of a sequence over that in the middle third, less one.

    The first third is left out: there, membranes and errors alike rise from zero.
    """
    place = deviation.step / (steps - 1)
    last = deviation.where((place > 2 / 3) & (place <= 1)).mean("step")
    return last / deviation.where((place >= 1 / 3) & (place <= 2 / 3)).mean("step") - 1
