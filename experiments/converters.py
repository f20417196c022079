"""Accuracy over the bits of input and output converters, for four ways to find their ranges.

A feed-forward network of tanh units and a recurrent spiking network learn the spoken digits and run on crossbars with
every combination of DAC and ADC bits. Ranges are calibrated on training data (`Percentile`, `LeastSquares`), cover
everything that can occur (`Maximal`), or are the fixed 10 cells of Rasch et al. (2023) for every ADC, with the DAC of
`Percentile`. Of spikes a DAC makes no error: in the spiking network only the first layer, which meets real values, can
suffer from it. Writes results/converters: converters.nc, converters.csv.
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import xarray as xr

import device_models as dm
import memsim as ms
from _frame import digits, finish, label, of_a_point, origin, places, print_table, swept
from _variable import Converters
from _workload import at_once, digital_outcome, recurrent_network, tanh_network

TEN_CELLS = 10.0  # Rasch2023, standard evaluation point
RANGES = {  # how ranges are found, and the full scale of every ADC where that is fixed
    "percentile": (ms.Percentile(), None),
    "least squares": (ms.LeastSquares(), None),
    "maximal": (ms.Maximal(), None),
    "ten cells": (ms.Percentile(), TEN_CELLS),
}
NO_CONVERTER = np.inf  # bits, on the axes of the result
CHIPS = jr.key(1)  # the same chips for all: comparisons are paired
NETWORKS = {"tanh": tanh_network, "spiking": recurrent_network}
BITS = ("bit", "bits, sign included; inf is no converter at all")
CLIPPED = ("1", "fraction of ADC readings clipped, mean over layers, ideal cells")
LABELS = {"seed": "1", "chip": "1", "adc_clipped": CLIPPED, "adc_bits": BITS, "dac_bits": BITS}
QUICK = {"adc_bits": (3, 8), "dac_bits": (3,), "chips": 2, "seeds": 1, "steps": 4, "hidden": 8, "epochs": 1}
QUICK |= {"calibration": 30, "recordings": 40}


@ms.study.quick(QUICK)
@dataclass(frozen=True)
class Config:
    """Options of the study. The defaults take about ten minutes on two cores."""

    device: str = "pcm_joshi2020"
    """A name of `device_models.DEVICES`, read as soon as it is written; ideal cells are measured beside it."""
    adc_bits: tuple[int, ...] = (2, 3, 4, 5, 6, 8)
    """No ADC at all is always added."""
    dac_bits: tuple[int, ...] = (2, 3, 4, 5, 6, 8)
    """No DAC at all is always added."""
    chips: int = 8
    seeds: int = 3
    """Training seeds."""
    steps: int = 16
    """Frames each recording is resampled to. The tanh network sees all of them at once: 208 inputs fit one tile."""
    hidden: int = 64
    epochs: int = 30
    clip: float = 2.5
    """Weight clipping while training, in multiples of the root mean square of a layer's weights, at least 1."""
    calibration: int = 200
    """Training recordings from which ranges are found."""
    recordings: int = 600
    """Of the test set, at most 600."""
    out: Path = Path("results/converters")
    quick: bool = False
    """A small run of seconds, to try the path. Its numbers mean nothing."""

    def __post_init__(self):
        ms.study.check_options(self)
        dm.device(self.device)
        for bits in (self.adc_bits, self.dac_bits):
            if list(bits) != sorted(set(bits)) or not 2 <= min(bits) <= max(bits) <= 16:
                raise ValueError(f"`adc_bits` and `dac_bits` must be rising whole numbers from 2 to 16. Got {bits}.")


def run(config: Config) -> xr.Dataset:
    """Runs or continues the study; returns what it writes."""
    grid = {"seed": range(config.seeds), "network": list(NETWORKS)}
    chosen = partial(measure, config=of_a_point(config, "seeds"))
    result = swept(chosen, grid, folder=config.out, key=jr.key(0))
    label(result, LABELS)
    result = result.assign_attrs(origin(config, digits(2).test, bare(dm.device(config.device).make())))
    finish("converters", result, ms.study.summary(result), out=config.out, report=lambda: report(result))
    return result


def measure(seed, network, *, key, config: Config) -> xr.Dataset:
    """Trains one network and measures it with all converters, on ideal cells and on chips."""
    model_key, fit_key = jr.split(key)
    data = digits(config.steps, recordings=config.recordings, quick=config.quick)
    data = at_once(data) if network == "tanh" else data
    model = NETWORKS[network](data.train.inputs.shape[-1], config.hidden, 10, key=model_key)
    kept = ms.study.checkpoint()
    model = ms.train.fit(model, data, key=fit_key, epochs=config.epochs, clip=config.clip, checkpoint=kept)

    xs, labels = jnp.asarray(data.test.inputs), jnp.asarray(data.test.labels)
    profile = jnp.asarray(data.train.inputs[: config.calibration])
    bits = [(adc, dac) for adc in (*config.adc_bits, None) for dac in (*config.dac_bits, None)]
    each = [Converters.of(model, profile, found, pair, scale) for found, scale in RANGES.values() for pair in bits]
    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *each)
    crossbar = bare(dm.device(config.device).make())
    found = measured(model, crossbar, stacked, xs, labels, jnp.arange(config.chips))
    shape = (len(RANGES), len(config.adc_bits) + 1, len(config.dac_bits) + 1)
    outcome, clipped = jax.tree.map(lambda values: np.reshape(values, (*shape, *values.shape[1:])), found)
    grid = ("ranges", "adc_bits", "dac_bits")
    return xr.Dataset(
        {
            **outcome.variables((*grid, "cells", "chip"), len(labels)),
            **digital_outcome(model, xs, labels).variables((), len(labels), "digital_{}"),
            "adc_clipped": (grid, clipped),
        },
        {"ranges": list(RANGES), "cells": ["ideal", config.device], "chip": np.arange(config.chips)}
        | {"adc_bits": [*config.adc_bits, NO_CONVERTER], "dac_bits": [*config.dac_bits, NO_CONVERTER]},
    )


def bare(device: dm.AbstractDevice) -> ms.Crossbar:
    """Without converters, and, because nothing has drifted yet, without compensation."""
    return ms.Crossbar(device, compensation=None)


@eqx.filter_jit
def measured(model, crossbar, each: Converters, xs, labels, chips):
    """What is right with each of the converters, (ideal or not, chip), and what fraction of ADC readings clips."""

    def one(chosen: Converters):
        ideal = ms.deploy(model, chosen.in_(bare(dm.Ideal())), 0.0, key=CHIPS)
        found = ms.study.chip_outcomes(model, chosen.in_(crossbar), xs, labels, jnp.zeros(1), chips, key=CHIPS)
        clipped = [
            jnp.where(chosen.adc[path].largest == 0, 0.0, jnp.mean(found.adc))
            for path, found in ms.nn.clipping(ideal, xs[:50]).items()
        ]
        right = ms.study.outcome(ideal, xs, labels), jax.tree.map(lambda values: values[:, 0], found)
        both = jax.tree.map(lambda one, each: jnp.stack([jnp.broadcast_to(one, each.shape), each]), *right)
        return both, jnp.mean(jnp.stack(clipped))

    return jax.lax.map(one, each)


def report(result: xr.Dataset) -> None:
    """Prints accuracy over the bits of one converter without the other, what the ADC clips, and how many bits do."""
    size = f"mean over {result.sizes['chip']} chips of each of {result.sizes['seed']} seeds"
    for along, without in (("adc_bits", "dac_bits"), ("dac_bits", "adc_bits")):
        columns = ["none" if np.isinf(bits) else f"{bits:g} bits" for bits in result[along].values]
        rows = []
        for place in places(result, "network", "cells", "ranges"):
            chosen = result.sel(place | {without: NO_CONVERTER})
            words = [f"{100 * a:.1f}" for a in chosen.accuracy.mean(["seed", "chip"]).values]
            if along == "adc_bits":
                clips = 100 * chosen.adc_clipped.mean("seed").values
                words = [f"{word} (clips {clip:.2g})" for word, clip in zip(words, clips, strict=True)]
            digital = f"{100 * float(chosen.digital_accuracy.mean()):.1f}"
            rows.append([*map(str, place.values()), digital, *words, enough(chosen.accuracy, along)])
        title = f"Test accuracy in %, {size}: {along[:3].upper()} only; fewest bits that cost at most 1 point"
        print_table(["network", "cells", "ranges", "digital", *columns, "enough"], rows, title=title, width=200)


def enough(accuracy: xr.DataArray, along: str) -> str:
    """The fewest bits for an accuracy at most 1 point below that without a converter."""
    mean = 100 * accuracy.mean(["seed", "chip"])
    fewest = mean[along].values[(mean >= float(mean.sel({along: NO_CONVERTER})) - 1).values].min()
    return "more than tried" if np.isinf(fewest) else f"{fewest:g}"
