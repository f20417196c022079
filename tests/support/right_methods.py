"""Methods that users call, bound, with right arguments: what `test_bad_values.py` spoils one by one."""

from typing import Any

import jax.numpy as jnp
import numpy as np

import device_models as dm
import memsim as ms
from right_parts import CROSSBAR, KEY, XS, dataset, network, result


def methods() -> dict[str, tuple[Any, dict[str, Any]]]:
    """Methods that users call, bound, with their arguments."""
    chip = CROSSBAR.program(jnp.ones((2, 3)), key=KEY)
    noisy = ms.Crossbar(dm.pcm_joshi2020()).deploy(jnp.ones((2, 3)), 1.0, key=KEY)
    device, wires = dm.pcm_joshi2020(), ms.ResistiveWires(1.0, 1.0)
    cells, g = device.program(jnp.full(3, 1e-5), key=KEY), jnp.full((2, 3), 1e-5)
    array = dm.pulsed.PulsedArray.fabricate(dm.pulsed.ecram_tang2018(), (2, 3), key=KEY)
    latency = ms.encoding.LinearLatency(5)
    return {
        "Crossbar.program": (CROSSBAR.program, {"w": jnp.ones((2, 3)), "key": KEY}),
        "Crossbar.deploy": (CROSSBAR.deploy, {"w": jnp.ones((2, 3)), "t": 1.0, "key": KEY}),
        "Crossbar.measured": (CROSSBAR.measured, {"g": jnp.full((2, 3, 4), 1e-5), "key": KEY}),
        "Chip.at": (chip.at, {"t": 1.0, "key": KEY}),
        "Chip.compensation_codes": (chip.compensation_codes, {"t": 1.0, "key": KEY}),
        "AnalogMatrix": (noisy, {"x": jnp.ones(3), "key": KEY}),
        "AbstractDevice.program": (device.program, {"target": jnp.full(3, 1e-5), "key": KEY}),
        "AbstractDevice.conductance": (device.conductance, {"cells": cells, "t": jnp.asarray(1.0)}),
        "AbstractDevice.read_noise": (device.read_noise, {"cells": cells, "t": jnp.asarray(1.0)}),
        "ResistiveWires.effective": (wires.effective, {"g": g}),
        "ResistiveWires.solve": (wires.solve, {"g": g, "v": jnp.ones(2)}),
        "ResistiveWires.currents": (wires.currents, {"device": dm.Ideal(), "g": g, "v": jnp.ones(2)}),
        "PulsedArray.fabricate": (
            dm.pulsed.PulsedArray.fabricate,
            {"device": dm.pulsed.ecram_tang2018(), "weights": jnp.zeros((2, 3)), "key": KEY},
        ),
        "PulsedArray.pulse": (array.pulse, {"counts": jnp.ones((2, 3), int), "key": KEY}),
        "PulsedArray.update": (array.update, {"x": jnp.ones(3), "d": jnp.ones(2), "learning_rate": 0.1, "key": KEY}),
        "PulsedArray.reset": (array.reset, {"where": jnp.ones((2, 3), bool), "key": KEY}),
        "SpikingNetwork": (network(), {"xs": XS[0]}),
        "Linear": (network().layers[0], {"x": XS[0]}),
        "LIF": (network().layers[1], {"current": jnp.ones(4), "state": network().layers[1].initial_state()}),
        "Rate": (ms.encoding.Rate(5), {"values": jnp.ones(3), "key": KEY}),
        "Poisson": (ms.encoding.Poisson(5, 1e-3), {"rates": jnp.ones(3), "key": KEY}),
        "LinearLatency": (latency, {"values": jnp.ones(3)}),
        "LinearLatency.decode": (latency.decode, {"spikes": jnp.ones((5, 3))}),
        "Population": (ms.encoding.Population(4, 0.0, 1.0), {"values": jnp.full(3, 0.5)}),
        "DeltaModulator": (ms.encoding.DeltaModulator(0.1), {"signal": jnp.ones((5, 3))}),
        "EventCamera": (ms.encoding.EventCamera(1e-3), {"frames": jnp.ones((5, 4, 4))}),
        "IntervalWidth.look": (ms.study.IntervalWidth(0.002).look, {"values": result()}),
        "IntervalWidth.goes_on": (ms.study.IntervalWidth(0.002).goes_on, {"values": result()}),
        "Dataset.take": (dataset().take, {"indices": np.array([0, 1])}),
    }
