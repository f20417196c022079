"""Files of RANC, an open system of the same neuron: what our rule computes from their inputs."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from ._routes import delivered
from ._rule import TYPES, Neurons, Tick, drive, run, tick

TO_BUS = 1  # ticks until the output bus shows a spike


def cores(arrays: dict[str, np.ndarray], meta: dict) -> dict[str, np.ndarray]:
    """Two cores in a row and the bus that the second one drives."""
    heard, seen, late = jnp.asarray(arrays["x"]), [], 0
    axons, delay = np.arange(heard.shape[1]), arrays["in_delay"].astype(np.int32)
    for core in "01":
        # A spike that is later than the buffer is long lands in the word that is being read, and is dropped.
        axons = np.where(delay + 1 < meta["max_tick_offset"], axons, -1)
        active = delivered(heard, jnp.asarray(axons), jnp.asarray(delay + late), len(arrays[f"type{core}"]))
        seen.append(_core({name[:-1]: array for name, array in arrays.items() if name.endswith(core)}, active, meta))
        heard, late = seen[-1].spikes, 1
        axons, delay = (arrays[f"{name}{core}"].astype(np.int32) for name in ("dest", "delay"))
    out = delivered(heard, jnp.asarray(axons), jnp.full(axons.shape, TO_BUS), arrays["out"].shape[1])
    return {
        "out": np.asarray(out),
        "v": np.stack([tick.potential for tick in seen]),
        "spikes": np.stack([tick.spikes for tick in seen]),
    }


def _core(core: dict[str, np.ndarray], active: Array, meta: dict) -> Tick:
    neurons = Neurons(
        weights=jnp.asarray(core["w"], jnp.int32),
        leak=jnp.asarray(core["leak"], jnp.int32),
        threshold=jnp.asarray(core["pth"], jnp.int32),
        floor=jnp.asarray(core["nth"], jnp.int32),
        reset=jnp.asarray(core["reset"], jnp.int32),
        mode=jnp.asarray(core["mode"], jnp.int32),
        floor_resets="at" if "<=" in meta["negative_test"] else "below",
    )
    arriving = drive(neurons, jnp.asarray(core["conn"]), jnp.asarray(core["type"], jnp.int32), active)
    return jax.jit(run)(neurons, arriving, jnp.asarray(core["v0"], jnp.int32))


def rtl(arrays: dict[str, np.ndarray], meta: dict) -> dict[str, np.ndarray]:
    """One update a row, of 9 bits that wrap."""
    del meta
    rows = jnp.asarray(arrays["rows"], jnp.int32)
    potential, leak, threshold, floor, reset, mode = rows[:, :6].T
    weights, count, types = rows[:, 6 : 6 + TYPES], rows[:, 10], rows[:, 11:]
    active = jnp.arange(types.shape[1])[None] < count[:, None]
    added = jnp.where(active, jnp.take_along_axis(weights, types, axis=1), 0).sum(axis=1)
    neurons = Neurons(weights, leak, threshold, floor, reset, mode, width=9)
    found = tick(neurons, potential, added)
    return {"v_out": np.asarray(found.potential), "spike": np.asarray(found.spikes)}
