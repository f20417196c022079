"""What our rules make of the inputs in a golden file of Loihi."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int

from .._sums._connection import Dense
from .._sums._whole import bound, shifted
from ._part import Layer
from ._rule import BRIAN2, CURRENT, LAVA, NENGO, RAIL, SLAYER, Compartments, Variant
from ._sigma_delta import SigmaDelta, no_changes, send_changes, sigma_delta
from ._weights import LARGEST, effective

Arrays = dict[str, np.ndarray]
Settings = dict[str, Any]


def lava(arrays: Arrays, meta: Settings) -> Arrays:
    """Spikes, currents and membranes of `Dense` and `LIF` in fixed point."""
    bits, delays = meta["num_weight_bits"], _whole(arrays["delay"])
    to = _compartments(
        meta["du"], meta["dv"], meta["vth_mant"] << CURRENT, _whole(arrays["bias_mant"]) << meta["bias_exp"]
    )
    weights = [effective(_whole(arrays[name]), bits=bits) for name in ("w", "w_rec")]
    synapses = Dense(weight=weights[0], largest=LARGEST, delays=delays, longest=bound(delays), wait=1)
    layer = _layer(synapses, Dense(weight=weights[1], largest=LARGEST), to, LAVA, meta["weight_exp"])
    return _ran(layer, arrays["x"])


def nengo(arrays: Arrays, meta: Settings) -> Arrays:
    """Spikes, currents and membranes of the emulator of nengo-loihi."""
    weights = [_whole(arrays[name]).T for name in ("w_int", "w_rec_int")]
    to = _compartments(*(_whole(arrays[name]) for name in ("decay_u", "decay_v", "vth_int", "bias_int")))
    to = to._replace(held=_whole(arrays["refract"]) - 1, floor=_whole(meta["vmin"]), ceiling=_whole(meta["vmax"]))
    synapses = _dense(weights[0], wait=1)
    return _ran(_layer(synapses, _dense(weights[1]), to, NENGO, None), arrays["x"])


def brian2(arrays: Arrays, meta: Settings) -> Arrays:
    """Effective weights, spikes, currents and membranes of brian2-loihi."""
    modes = (meta["sign_mode"], meta["sign_mode_rec"])
    weights = [
        _brian2_weights(_whole(arrays[name]), meta["num_weight_bits"], meta["w_exp"], mode)
        for name, mode in zip(("w", "w_rec"), modes, strict=True)
    ]
    to = _compartments(meta["decay_I"], meta["decay_v"], meta["threshold_v_mant"] << CURRENT, 0)
    to = to._replace(held=_whole(meta["refractory"] - 1))
    synapses = _dense(weights[0], wait=meta["delay"])
    feedback = _dense(weights[1])
    found = _ran(_layer(synapses, feedback, to, BRIAN2, None), arrays["x"])
    return {"w_act": np.asarray(weights[0]), "w_rec_act": np.asarray(weights[1])} | found


def lava_dl(arrays: Arrays, meta: Settings) -> Arrays:
    """Spikes of the current-based neuron of SLAYER, which fires at its threshold."""
    weight, units = _whole(arrays["w"]).T, arrays["w"].shape[1]
    to = _compartments(meta["iDecay"], meta["vDecay"], (meta["vThMant"] << CURRENT) - 1, 0)
    nothing = _dense(jnp.zeros((units, units), jnp.int32))
    layer = _layer(_dense(weight), nothing, to, SLAYER, 0)
    return {"spikes": _ran(layer, arrays["x"].T)["spikes"].T}


def sigma_delta_network(arrays: Arrays, meta: Settings) -> Arrays:
    """`Delta`, `Dense` and `SigmaDelta` in a row: graded spikes of both, sums and activations."""
    shift = meta["spike_exp"] + meta["state_exp"]
    inputs = jax.jit(partial(_changes, meta=_hashable(meta)))(_whole(arrays["x"]) << shift)
    weight = effective(_whole(arrays["w"]))
    synapses = Dense(weight=weight, largest=LARGEST, wait=1)
    sums, _ = synapses.sums(inputs, synapses.initial_state(), most=bound(inputs))
    bias = _whole(arrays["bias"]) << shift
    out, sigma = jax.jit(partial(_summed, meta=_hashable(meta)))(shifted(sums, meta["weight_exp"]), bias)
    found = {"delta_out": inputs, "out": out, "sigma": sigma, "act": jnp.maximum(sigma + bias[None], 0)}
    return {name: np.asarray(each) for name, each in found.items()}


def _hashable(meta: Settings) -> tuple[tuple[str, Any], ...]:
    return tuple(sorted((name, value) for name, value in meta.items() if isinstance(value, int)))


def _changes(levels: Int[Array, "steps inputs"], *, meta: tuple[tuple[str, Any], ...]) -> Int[Array, "steps inputs"]:
    how = _sending(dict(meta), "vth_delta")

    def one(state: Any, level: Array) -> tuple[Any, Array]:
        sent, state = send_changes(level, state, **how)
        return state, sent

    return jax.lax.scan(one, no_changes(levels.shape[1]), levels)[1]


def _summed(
    changes: Int[Array, "steps units"], bias: Int[Array, " units"], *, meta: tuple[tuple[str, Any], ...]
) -> tuple[Array, Array]:
    how = _sending(dict(meta), "vth_sigma")

    def one(state: SigmaDelta, change: Array) -> tuple[Any, Any]:
        sent, state = sigma_delta(change, state, bias=bias, **how)
        return state, (sent, state.sigma)

    start = SigmaDelta(jnp.zeros(changes.shape[1], jnp.int32), no_changes(changes.shape[1]))
    return jax.lax.scan(one, start, changes)[1]


def _sending(meta: Settings, threshold: str) -> dict[str, Any]:
    shift = meta["spike_exp"] + meta["state_exp"]
    held = jnp.asarray(meta[threshold] << shift, jnp.int32)
    return {"threshold": held, "state_exponent": meta["state_exp"], "cumulative": bool(meta["cum_error"])}


def _brian2_weights(
    w: Int[Array, "outputs inputs"], bits: int, exponent: int, mode: int
) -> Int[Array, "outputs inputs"]:
    """Truncated towards zero, shifted one by one, and cut to multiples of 64 within 22 bits; mode 1 is mixed."""
    dropped = 8 - bits + (mode == 1)
    kept = jnp.sign(w) * ((jnp.abs(w) >> dropped) << dropped)
    by = CURRENT + exponent
    moved = kept << by if by >= 0 else kept >> -by
    limit = (1 << 21) - (1 << CURRENT)
    return jnp.clip((moved >> CURRENT) << CURRENT, -limit, limit)


def _compartments(current_decay: Any, decay: Any, threshold: Any, bias: Any) -> Compartments:
    given = (current_decay, decay, threshold, bias, 0, -RAIL, RAIL)
    return Compartments(*(_whole(each) for each in given))


def _dense(weight: Int[Array, "outputs inputs"], *, wait: int = 0) -> Dense:
    return Dense(weight=weight, largest=bound(weight), wait=wait)


def _layer(synapses: Dense, feedback: Dense, to: Compartments, variant: Variant, exponent: int | None) -> Layer:
    one = jnp.ones(())
    return Layer(
        synapses=synapses,
        feedback=feedback,
        to=to,
        core=jnp.zeros(synapses.weight.shape[0], jnp.int32),
        unit=one,
        rest=0 * one,
        variant=variant,
        exponent=exponent,
        feedback_exponent=exponent,
        most=1,
        cores=1,
        spiking=True,
        path="",
    )


@jax.jit
def _run(layer: Layer, xs: Int[Array, "steps inputs"]) -> tuple[Array, Array, Array]:
    """Spikes, currents, and membranes after their reset."""
    ran = layer.run(xs, layer.initial_state())
    spikes = ran.stepped.outputs
    assert ran.stepped.current is not None
    return spikes, ran.stepped.current, jnp.where(spikes > 0, 0, ran.stepped.membrane)


def _ran(layer: Layer, xs: np.ndarray) -> Arrays:
    found = _run(layer, _whole(xs))
    return {name: np.asarray(each) for name, each in zip(("spikes", "u", "v"), found, strict=True)}


def _whole(x: Any) -> Int[Array, "..."]:
    return jnp.asarray(np.asarray(x), jnp.int32)
