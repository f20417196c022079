"""Accuracy over the bits of input and output converters, for four ways to find their ranges.

A feed-forward network of tanh units and a recurrent spiking network learn the spoken digits and run on crossbars with
every combination of DAC and ADC bits. Ranges are calibrated on training data (`Percentile`, `LeastSquares`), cover
everything that can occur (`Maximal`), or are the fixed 10 cells of Rasch et al. (2023) for every ADC, with the DAC of
`Percentile`. Of spikes a DAC makes no error: in the spiking network only the first layer, which meets real values, can
suffer from it. Writes results/converters: converters.nc, converters.csv.
"""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import xarray as xr
from jaxtyping import Array, Float

import device_models as dm
import memsim as ms
from _frame import finish, label, origin, places, print_table
from _variable import VariableADC, VariableDAC
from _workload import digital_outcome, recurrent_network

NETWORKS = ("tanh", "spiking")
RANGES: dict[str, ms.extend.AbstractRanges] = {
    "percentile": ms.Percentile(),
    "least squares": ms.LeastSquares(),
    "maximal": ms.Maximal(),
    "ten cells": ms.Percentile(),  # of the DAC only
}
TEN_CELLS = 10.0  # Rasch2023, standard evaluation point
NO_CONVERTER = np.inf  # bits, on the axes of the result
BITS = ("bit", "bits, sign included; inf is no converter at all")


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
            if not bits or list(bits) != sorted(set(bits)) or not 2 <= min(bits) <= max(bits) <= 16:
                raise ValueError(
                    f"`adc_bits` and `dac_bits` must be rising whole numbers from 2 to 16. Got {bits}. "
                    "No converter is added by itself."
                )


class Part(NamedTuple):
    """One trained network: what is computed, and saved, at a time."""

    seed: int
    network: str


class Converters(NamedTuple):
    """Converters of all layers, by path; with a leading axis, of many designs."""

    dac: dict[str, VariableDAC]
    adc: dict[str, VariableADC]


def run(config: Config) -> xr.Dataset:
    """Runs or continues the study; returns what it writes."""
    settings = dataclasses.asdict(config) | {"out": str(config.out)}
    folder = ms.study.parts_folder(config.out, settings)
    parts = {f"seed{seed}-{network}": Part(seed, network) for seed in range(config.seeds) for network in NETWORKS}
    result = ms.study.run_parts(parts, lambda part: compute(config, part, folder), folder)
    result = labelled(config, result.sel(network=list(NETWORKS), ranges=list(RANGES)), settings)
    table = ms.study.summary(result)
    finish("converters", result, table, out=config.out, report=lambda: report(result), parts=folder)
    return result


def compute(config: Config, part: Part, folder: Path) -> xr.Dataset:
    """Trains one network and measures it with all converters, on ideal cells and on chips."""
    data = recordings(config, part.network)
    model_key, fit_key = jr.split(jr.fold_in(jr.key(0), part.seed))
    model = ms.train.fit(
        untrained(config, part.network, data.train.inputs.shape[-1], model_key),
        data,
        key=fit_key,
        epochs=config.epochs,
        clip=config.clip,
        checkpoint=folder / f"{part.seed}-{part.network}.checkpoint",
    )
    xs, labels = jnp.asarray(data.test.inputs), jnp.asarray(data.test.labels)
    profile = jnp.asarray(data.train.inputs[: config.calibration])
    found = [measured(config, model, profile, xs, labels, ranges) for ranges in RANGES]
    index = {"seed": [part.seed], "network": [part.network]}
    grid = (*index, "ranges", "adc_bits", "dac_bits")
    outcome = ms.study.Outcome(*(np.stack(parts) for parts in zip(*(each for each, _ in found), strict=True)))
    return xr.Dataset(
        {
            **outcome.variables((*grid, "cells", "chip"), len(labels)),
            "adc_clipped": (grid, np.stack([clipped for _, clipped in found])[None, None]),
            **digital_outcome(model, xs, labels).variables(tuple(index), len(labels), "digital_{}"),
        },
        index
        | {"ranges": list(RANGES), "cells": ["ideal", config.device], "chip": np.arange(config.chips)}
        | {"adc_bits": [*config.adc_bits, NO_CONVERTER], "dac_bits": [*config.dac_bits, NO_CONVERTER]},
    )


def recordings(config: Config, network: str) -> ms.data.Splits:
    """The spoken digits, for the tanh network as one long vector each."""
    data = ms.data.spoken_digits(steps=config.steps)
    if config.quick:
        data = ms.data.Splits(data.train.take(np.arange(100)), data.validation.take(np.arange(50)), data.test)
    data = ms.data.Splits(data.train, data.validation, data.test.take(np.arange(min(config.recordings, 600))))
    if network == "spiking":
        return data
    parts = (data.train, data.validation, data.test)
    return ms.data.Splits(*(dataclasses.replace(d, inputs=d.inputs.reshape(len(d), 1, -1)) for d in parts))


def untrained(config: Config, network: str, inputs: int, key: Array) -> ms.nn.SpikingNetwork:
    if network == "spiking":
        return recurrent_network(inputs, config.hidden, 10, key=key)
    keys = jr.split(key, 3)
    tanh = eqx.nn.Lambda(jnp.tanh)
    sizes = (inputs, config.hidden, config.hidden, 10)
    first, second, last = (ms.nn.Linear(*sizes[n : n + 2], key=keys[n]) for n in range(3))
    return ms.nn.SpikingNetwork([first, tanh, second, tanh, last])


def measured(config: Config, model, profile, xs, labels, ranges: str) -> tuple[ms.study.Outcome, np.ndarray]:
    """What is right over (ADC bits, DAC bits, cells, chip), and the clipped fraction over the first two."""
    adc_bits, dac_bits = (*config.adc_bits, None), (*config.dac_bits, None)
    each = [converters(model, profile, ranges, adc, dac) for adc in adc_bits for dac in dac_bits]
    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *each)
    # The same chips for all: comparisons are paired.
    chips, key = jnp.arange(config.chips), jr.key(1)
    ideal, clipped = on_ideal_cells(model, stacked, xs, labels, key=key)
    found = on_chips(model, bare(dm.device(config.device).make()), stacked, xs, labels, chips, key=key)
    # Ideal cells are the same on every chip.
    both = [
        np.stack(np.broadcast_arrays(np.asarray(one)[:, None], np.asarray(each)), axis=1)
        for one, each in zip(ideal, found, strict=True)
    ]
    grid = (len(adc_bits), len(dac_bits))
    outcome = ms.study.Outcome(*(each.reshape(*grid, *each.shape[1:]) for each in both))
    return outcome, np.asarray(clipped).reshape(grid)


def bare(device: dm.AbstractDevice) -> ms.Crossbar:
    """Without converters, and, because nothing has drifted yet, without compensation."""
    return ms.Crossbar(device, compensation=None)


def converters(model, profile, ranges: str, adc_bits: int | None, dac_bits: int | None) -> Converters:
    """Converters of all layers with these bits, their ranges found from the training data `profile`."""
    design = dataclasses.replace(bare(dm.Ideal()), adc=ms.ADC(adc_bits), dac=ms.DAC(dac_bits))
    found = ms.calibrate(model, profile, design, ranges=RANGES[ranges])
    assert isinstance(found, ms.nn.PerLayer)
    word_lines = {path: jnp.shape(layer.weight)[1] for path, layer in ms.nn.analog_layers(model).items()}
    dacs, adcs = {}, {}
    for path, ranged in found.designs.items():
        assert ranged is not None and ranged.dac is not None and ranged.adc is not None
        # A full scale of None is all word lines of a tile fully on.
        full_scale = min(ranged.tile[0], word_lines[path])
        if ranges == "ten cells":
            full_scale = TEN_CELLS
        elif ranged.adc.full_scale is not None:
            full_scale = ranged.adc.full_scale
        input_range = jnp.asarray(ranged.dac.input_range, float)
        dacs[path] = VariableDAC(largest=largest(dac_bits), input_range=input_range)
        adcs[path] = VariableADC(largest=largest(adc_bits), full_scale=jnp.asarray(full_scale, float))
    return Converters(dacs, adcs)


def largest(bits: int | None) -> Float[Array, ""]:
    """Codes run from minus to plus this; zero is no converter."""
    return jnp.asarray(0.0 if bits is None else 2.0 ** (bits - 1) - 1)


@eqx.filter_jit
def on_chips(model, crossbar: ms.Crossbar, each: Converters, xs, labels, chips, *, key) -> ms.study.Outcome:
    """What the chips have right with each of the converters, (designs, chips)."""

    def one(chosen: Converters) -> ms.study.Outcome:
        design = with_converters(crossbar, chosen)
        found = ms.study.chip_outcomes(model, design, xs, labels, jnp.zeros(1), chips, key=key)
        return jax.tree.map(lambda values: values[:, 0], found)

    return jax.lax.map(one, each)


@eqx.filter_jit
def on_ideal_cells(model, each: Converters, xs, labels, *, key) -> tuple[ms.study.Outcome, Array]:
    """What is right with each of the converters, and the fraction of ADC readings that clip, mean over layers."""

    def one(chosen: Converters) -> tuple[ms.study.Outcome, Array]:
        deployed = ms.deploy(model, with_converters(bare(dm.Ideal()), chosen), 0.0, key=key)
        clipped = [
            jnp.where(chosen.adc[path].largest == 0, 0.0, jnp.mean(found.adc))
            for path, found in ms.nn.clipping(deployed, xs[:50]).items()
        ]
        return ms.study.outcome(deployed, xs, labels), jnp.mean(jnp.stack(clipped))

    return jax.lax.map(one, each)


def with_converters(crossbar: ms.Crossbar, chosen: Converters) -> ms.nn.PerLayer:
    designs: dict[str, ms.Crossbar | None] = {
        path: dataclasses.replace(crossbar, dac=chosen.dac[path], adc=chosen.adc[path]) for path in chosen.adc
    }
    return ms.nn.PerLayer(designs)


def labelled(config: Config, result: xr.Dataset, settings: dict[str, Any]) -> xr.Dataset:
    """With units and provenance."""
    result = result.sel(cells=["ideal", config.device])
    clipped = "fraction of ADC readings clipped, mean over layers, ideal cells"
    label(result, {"seed": "1", "chip": "1", "digital_accuracy": "1", "accuracy": ("1", "test accuracy")})
    label(result, {"adc_clipped": ("1", clipped), "adc_bits": BITS, "dac_bits": BITS})
    device = dm.device(config.device).make()
    return result.assign_attrs(origin(settings, ms.data.spoken_digits(steps=2).test, bare(device)))


def report(result: xr.Dataset) -> None:
    """Prints accuracy over the bits of one converter without the other, what the ADC clips, and how many bits do."""
    size = f"mean over {result.sizes['chip']} chips of each of {result.sizes['seed']} seeds"
    for along, without in (("adc_bits", "dac_bits"), ("dac_bits", "adc_bits")):
        columns = ["none" if np.isinf(bits) else f"{bits:g} bits" for bits in result[along].values]
        rows = []
        for chosen in cases(result.sel({without: NO_CONVERTER})):
            words = [f"{100 * a:.1f}" for a in chosen.accuracy.mean(["seed", "chip"]).values]
            if along == "adc_bits":
                clips = 100 * chosen.adc_clipped.mean("seed").values
                words = [f"{word} (clips {clip:.2g})" for word, clip in zip(words, clips, strict=True)]
            rows.append([*names(chosen), f"{100 * float(chosen.digital_accuracy.mean()):.1f}", *words])
        title = f"Test accuracy in %, {size}: {along[:3].upper()} only"
        print_table(["network", "cells", "ranges", "digital", *columns], rows, title=title, width=200)
    print("Fewest bits that cost at most 1 point, the other converter absent:")
    for chosen in cases(result):
        print(f"  {', '.join(names(chosen))}: {enough(chosen)}")


def cases(result: xr.Dataset) -> list[xr.Dataset]:
    """One for each network, kind of cells and way to find the ranges."""
    return [result.sel(at) for at in places(result, "network", "cells", "ranges")]


def names(chosen: xr.Dataset) -> list[str]:
    return [str(chosen[dim].values) for dim in ("network", "cells", "ranges")]


def enough(chosen: xr.Dataset) -> str:
    """The fewest bits of either converter for an accuracy at most 1 point below that without converters."""
    mean = 100 * chosen.accuracy.mean(["seed", "chip"])
    goal = float(mean.sel(adc_bits=NO_CONVERTER, dac_bits=NO_CONVERTER)) - 1
    found = []
    for along, without in (("adc_bits", "dac_bits"), ("dac_bits", "adc_bits")):
        accuracy = mean.sel({without: NO_CONVERTER})
        fewest = accuracy[along].values[accuracy.values >= goal].min()
        found.append(f"{along[:3].upper()} {'more than tried' if np.isinf(fewest) else f'{fewest:g}'}")
    return ", ".join(found)
