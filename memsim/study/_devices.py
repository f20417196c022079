"""Chips over the devices that there are: side by side on each, and each its share of them."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jax.sharding import PartitionSpec
from jaxtyping import Array, Int

from ..nn._mixed_signal import Designs
from ._chips import Workload, aged, programmed

AXIS = "chips"


def over_chips(one_chip: Callable[[Array], Any], chips: Int[Array, " chips"], chunk: int) -> Any:
    """`one_chip` of each of the numbers `chips`, `chunk` of them side by side, on all devices of this process.

    What it makes of a chip is the same whatever their number and the chunk.
    """

    def several(numbers: Int[Array, " some"]) -> Any:
        return jax.lax.map(one_chip, numbers, batch_size=chunk if chunk > 1 else None)

    devices = jax.local_devices()[: chips.shape[0]]
    if len(devices) < 2:
        return several(chips)
    mesh = jax.sharding.Mesh(devices, (AXIS,))
    rest = -chips.shape[0] % len(devices)
    padded = jnp.concatenate([chips, jnp.broadcast_to(chips[-1:], (rest,))])
    shared = jax.shard_map(
        several, mesh=mesh, in_specs=PartitionSpec(AXIS), out_specs=PartitionSpec(AXIS), check_vma=False
    )
    return jax.tree.map(lambda values: values[: chips.shape[0]], shared(padded))


def chunk_of(chunk: int | None, model: Any, crossbar: Designs, workload: Workload, chips: int) -> int:
    """Chips side by side: as asked for, one on a CPU, and elsewhere as many as half of the memory holds."""
    if chunk is not None:
        return chunk
    if jax.default_backend() == "cpu":
        return 1

    def fabricated(number: Array) -> Any:
        chip, life_key = programmed(model, crossbar, number, key=jr.key(0))
        return chip, aged(chip, workload.times[0], key=life_key)[0]

    there = jax.tree.leaves(eqx.filter_eval_shape(fabricated, jnp.zeros((), int)))
    each = sum(leaf.size * leaf.dtype.itemsize for leaf in there if hasattr(leaf, "dtype"))
    return max(1, min(chips, int(workload.memory / 2 / max(each, 1))))
