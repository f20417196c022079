"""Files of SpiNNaker's own C code: what our rule computes from their inputs."""

import jax
import jax.numpy as jnp
import numpy as np

from ._ring import RING, Pair, buffered
from ._rule import Neurons, State, Synapse, run


def lif(arrays: dict[str, np.ndarray], meta: dict) -> dict[str, np.ndarray]:
    """The arrays of a spinnaker_lif file that its neuron determines, by their names there."""
    words = arrays["weights16"].astype(np.int32) & RING  # unsigned, whatever type a file has for them
    signed = np.where(arrays["exc"], words, -words)
    words = buffered(jnp.asarray(signed[None], jnp.int32), jnp.asarray(arrays["x"], jnp.int32))
    arriving = jax.tree.map(lambda held: held << meta["shift"], words)
    neurons, zero = neurons_of(meta), jnp.zeros((1,), jnp.int32)
    start = State(jnp.array([meta["v_init"]], jnp.int32), Pair(zero, zero), zero)
    _, seen = jax.jit(run)(neurons, arriving, start)
    found = {
        "ring_exc": arriving.excitation,
        "ring_inh": arriving.inhibition,
        "spikes": seen.spikes,
        "v_before_reset": seen.membrane,
        "v": jnp.where(seen.spikes, neurons.reset, seen.membrane),
        "i_exc": seen.currents.excitation,
        "i_inh": seen.currents.inhibition,
    }
    return {name: np.asarray(array)[:, 0] for name, array in found.items()}


def neurons_of(meta: dict) -> Neurons:
    """The one neuron of a file."""

    def word(name):
        return jnp.array([meta[name]], jnp.int32)

    return Neurons(
        membrane_decay=word("exp_tc"),
        resistance=word("r_m"),
        rest=word("v_rest"),
        reset=word("v_reset"),
        threshold=word("v_th"),
        offset=word("i_offset"),
        refractory=word("t_ref"),
        synapse=Synapse(
            *(
                Pair(*(jnp.array([meta[f"{kind}_{name}"]], jnp.uint32) for kind in ("exc", "inh")))
                for name in ("decay", "init")
            )
        ),
        nearest=bool(meta["round"]),
    )
