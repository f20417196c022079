"""What our rule makes of the inputs in a golden file of DYNAP-SE2."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from ._biases import TYPES, current
from ._rule import Circuit, Soma, at_rest, soma, synapse

Arrays = dict[str, np.ndarray]


def sim(arrays: Arrays, meta: dict[str, Any]) -> Arrays:
    """Spikes, synaptic and membrane currents, and membrane voltages of DynapSim."""
    to = Circuit(**{name: jnp.asarray(arrays[f"p_{name}"], jnp.float32) for name in Circuit._fields})
    x, w_rec = (jnp.asarray(arrays[name], jnp.float32) for name in ("x", "w_rec"))
    scale = jnp.asarray(arrays["p_Iscale"], jnp.float32)
    spikes, isyn, imem, vmem = _run(to, x, w_rec, scale, meta["dt"])
    found = {"spikes": spikes.astype(jnp.int32), "isyn": isyn, "imem": imem, "vmem": vmem}
    return {name: np.asarray(each) for name, each in found.items()}


@jax.jit
def _run(to: Circuit, x: Array, w_rec: Array, scale: Array, dt: Array) -> tuple[Array, ...]:
    def one(carried: tuple[Array, Soma], x: Array) -> tuple[Any, Any]:
        received, neurons = carried
        received = synapse(to, received, (w_rec.T @ neurons.spikes + x) * scale, dt)
        neurons, _ = soma(to, neurons, received, dt)
        return (received, neurons), (neurons.spikes, received, neurons.current, neurons.voltage)

    rest = at_rest(to, x.shape[1])
    return jax.lax.scan(one, (rest.current, rest), x)[1]


def biasgen(arrays: Arrays, meta: dict[str, Any]) -> Arrays:
    """Currents that the bias generator gives."""
    kinds = np.asarray(arrays["ptype"]).astype(int)
    found = [
        current(TYPES[kind], int(coarse), int(fine))
        for kind, coarse, fine in zip(kinds, arrays["coarse"], arrays["fine"], strict=True)
    ]
    return {"current": np.array(found)}
