"""Right arguments for the public names of `memsim.energy`: what `test_bad_values.py` spoils one by one."""

from typing import Any

import jax.numpy as jnp

import device_models as dm
import memsim as ms
from right_parts import KEY, XS, digits_network, network, splits

RESULTS = {"Descended", "Front", "Point", "Report"}


def instances() -> list[Any]:
    """One of each class that has fields."""
    crossbar = ms.Crossbar(dm.Ideal(), adc=ms.ADC(8))
    return [
        ms.energy.Descent(),
        ms.energy.EventDriven(),
        ms.energy.Free(v_read=(0.1, 0.2), g_max=(1e-6, 1e-5), adc_bits=(4, 8), dac_bits=(2, 8), window=(1e-7, 1e-6)),
        ms.energy.PricedChip(crossbar, 0.1, per_second=1.0),
        ms.energy.EventPower({"events": 1e-12}),
        ms.energy.FlashADC(),
        ms.energy.OscillatorADC(),
        ms.energy.Periphery(neuron_bias=1e-9),
        ms.energy.Processor(),
        ms.energy.RampADC(),
        ms.energy.SurveyADC(),
        ms.energy.Systolic(),
    ]


def calls() -> dict[str, dict[str, Any]]:
    """The functions, with their arguments."""
    chip = ms.program(network(), ms.Crossbar(dm.Ideal(), adc=ms.ADC(8)), key=KEY)
    on_chip = {"chip": chip, "xs": XS, "key": KEY}
    placed = ms.chips.truenorth().deploy(network_of_spikes(), input_shape=3)
    counts = ms.chips.Counts(*[jnp.ones((2, 1), jnp.int32)] * 4)
    cost = ms.energy.digital(network(), XS)
    crossbar = ms.Crossbar(dm.pcm_joshi2020(), adc=ms.ADC(8))
    return {
        "descend": {
            "net": digits_network(),
            "crossbar": crossbar,
            "data": splits(),
            "free": ms.energy.Free(adc_bits=(4, 8)),
            "descent": ms.energy.Descent(epochs=1, last_epochs=1, batch_size=2, chips=1, samples=2),
            "prices": [0.1],
            "key": KEY,
        },
        "energy.of": on_chip,
        "energy.joules": on_chip,
        "energy.report": {"cost": cost},
        "plotting.energy": {"cost": cost},
        "digital": {"model": network(), "xs": XS},
        "of_array": {"g": jnp.full((2, 2), 1e-6), "v": jnp.ones(2), "seconds": 1e-7},
        "of_counts": {"placed": placed, "counts": counts, "dt": 1e-3},
        "adc_survey_energy": {"enob": 8.0, "rate": 1e8, "node": 28e-9},
        "energy.break_even": {"product": 3e-12, "spike": 2e-12, "step": 1e-13, "steps": 6},
        "crossover": {"clocked": 1e-4, "event": 1e-12},
    }


def network_of_spikes() -> ms.nn.SpikingNetwork:
    """What TrueNorth takes without a warning."""
    firing = ms.nn.Firing(reset="subtract", at_threshold="fires")
    layer = ms.nn.Linear(3, 4, use_bias=False, key=KEY)
    return ms.nn.SpikingNetwork([layer, ms.nn.IF(4, firing=firing)])
