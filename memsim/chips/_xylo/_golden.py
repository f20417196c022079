"""What our rules make of the inputs in a golden file of Xylo."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int

from ._part import Layer, Neurons, Synapses
from ._rockpool import XyloSpecification, xylo_channel_quantize, xylo_global_quantize
from ._rule import MOST_HIDDEN, MOST_INPUT, MOST_OUT, Core, Population

Arrays = dict[str, np.ndarray]


def network(arrays: Arrays, meta: dict[str, Any]) -> Arrays:
    """Spikes, currents and membranes of hidden neurons and outputs, as xylosim."""
    hidden, out = layers(arrays, meta["core"])
    neurons = _run(hidden, _whole(arrays["x"]))
    outputs = _run(out, neurons.spikes)
    found = {
        "spikes": neurons.spikes,
        "v": neurons.membrane,
        "i": neurons.current[:, 0],
        "i2": neurons.current[:, 1],
        "out": outputs.spikes,
        "v_out": outputs.membrane,
        "i_out": outputs.current[:, 0],
    }
    return {name: np.asarray(each) for name, each in found.items()}


def layers(arrays: Arrays, core: Core) -> tuple[Layer, Layer]:
    """Hidden neurons and outputs of a file."""
    given = {name: _whole(each) for name, each in arrays.items() if name != "has_bias"}
    shift_in, shift_rec, shift_out = given["shift"]
    biased = core == "v2" and bool(arrays["has_bias"])
    hidden = Layer(
        Synapses(_as_rows(given["w_in"]), shift_in),
        Synapses(_as_rows(given["w_rec"]), shift_rec),
        Population(given["thr"], given["dash_mem"], given["dash_syn"].T, given["bias"] if biased else None),
        given["alias"],
        **_common(core, MOST_HIDDEN, MOST_INPUT, wait=0),
    )
    out = Layer(
        Synapses(given["w_out"].T[None], shift_out),
        None,
        Population(
            given["thr_out"], given["dash_mem_out"], given["dash_syn_out"][None], given["bias_out"] if biased else None
        ),
        None,
        **_common(core, MOST_OUT, MOST_HIDDEN, wait=1),
    )
    return hidden, out


def _common(core: Core, most: int, most_input: int, *, wait: int) -> dict[str, Any]:
    one = jnp.ones(())
    settings = {"core": core, "most": most, "most_input": most_input, "wait": wait, "spiking": True, "path": ""}
    return {"unit": one, "rest": 0 * one} | settings


def _as_rows(w: Int[Array, "inputs units synapses"]) -> Int[Array, "synapses units inputs"]:
    return jnp.transpose(w, (2, 1, 0))


@jax.jit
def _run(layer: Layer, xs: Int[Array, "steps inputs"]) -> Neurons:
    """The neurons after every step."""
    start = layer.initial_state()
    heard, _ = layer.heard(xs, start.past)

    def one(neurons: Neurons, events: Array) -> tuple[Neurons, Neurons]:
        after = layer.advance(events, neurons).state
        return after, after

    return jax.lax.scan(one, start.neurons, heard)[1]


def _whole(x: Any) -> Int[Array, "..."]:
    return jnp.asarray(np.asarray(x), jnp.int32)


def quantised(arrays: Arrays, meta: dict[str, Any]) -> Arrays:
    """The whole numbers of both quantisers of rockpool."""
    given = XyloSpecification(**{name: arrays[f"f_{name}"] for name in XyloSpecification._fields})
    found = {"g": xylo_global_quantize(given), "c": xylo_channel_quantize(given)}
    return {f"{kind}_{name}": each for kind, all in found.items() for name, each in all._asdict().items()}
