"""Error of one analog matrix-vector product: from each non-ideality alone, and from all together.

Gaussian weights are written to chips of phase-change memory, each chip with a matrix of its own, and read a day later
with many Gaussian inputs, cut where the DAC ends. The outputs are compared with the exact product, in units of the
standard deviation of the exact outputs. Cells with a nonlinear I-V stand alone: behind resistive wires their read is
no product. Writes results/mvm_error: mvm_error.nc, mvm_error.csv.
"""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import xarray as xr
from jaxtyping import Array

import device_models as dm
import memsim as ms

UNCOMPENSATED, IV = "drift, uncompensated", "I-V"
UNSATURATED, TOGETHER = "all but saturation", "all together"
OUTPUTS = np.linspace(-4.0, 4.0, 161)  # edges of bins, in standard deviations of the exact outputs
ERRORS = np.linspace(-2.0, 2.0, 401)


QUICK = {"size": 12, "chips": 2, "inputs": 50}


@ms.study.quick(QUICK)
@dataclass(frozen=True)
class Config:
    """Options of the study. The defaults take about five minutes on two cores."""

    device: str = "pcm_joshi2020"
    """A name of `device_models.DEVICES`."""
    time: float = 86400.0
    """Age of the chips, in seconds."""
    size: int = 256
    """Inputs, outputs, and lines of the tile that holds them all."""
    chips: int = 10
    inputs: int = 1000
    """Input vectors for each chip."""
    largest_input: float = 3.0
    """Where the Gaussian inputs, and the range of the DAC, end, in standard deviations."""
    dac_bits: int = 8
    adc_bits: int = 8
    full_scale: float = 2.5
    """Of the ADC, in standard deviations of the currents: too small, so that saturation is seen."""
    levels: int = 16
    """Conductances that a cell can be asked for."""
    stuck: float = 0.01
    """Fraction of cells that are stuck, half of them at `g_max` and half at `g_min`."""
    segment: float = 0.35
    """Resistance of word and bit lines from cell to cell, in ohm; aihwkit's default."""
    kappa: float = 2.5
    """Of the sinh I-V, in 1/V, at 0.2 V for the largest input."""
    out: Path = Path("results/mvm_error")
    quick: bool = False
    """A small run of seconds, to try the path. Its numbers mean nothing."""

    def __post_init__(self):
        ms.study.check_options(self)
        dm.device(self.device)


def run(config: Config) -> xr.Dataset:
    """Runs or continues the study; returns what it writes."""
    settings = dataclasses.asdict(config) | {"out": str(config.out)}
    folder = ms.study.parts_folder(config.out, settings)
    designs = cases(config)
    parts = {case.replace(" ", "-").replace(",", ""): case for case in designs}
    result = ms.study.run_parts(parts, lambda case: compute(config, case, designs[case]), folder)
    result = labelled(result.sel(case=list(designs)), designs[TOGETHER], settings)
    ms.study.save_result(result, config.out / "mvm_error.nc")
    ms.study.save_table(result[["rms", "bias", "gain", "snr"]].to_dataframe(), config.out / "mvm_error.csv")
    report(result)
    print(f"Wrote {config.out / 'mvm_error.nc'} and mvm_error.csv. `memsim draw mvm_error` draws them")
    ms.study.remove_parts(folder)
    return result


def cases(config: Config) -> dict[str, ms.Crossbar]:
    """Designs with each effect alone, then those with all of them; all but the I-V, which stands alone."""
    whole = together(config)
    effects = ms.effects(whole)
    alone = {}
    for effect in effects:
        design = whole
        for other in effects:
            design = design if other == effect else ms.without(design, other)
        if effect == "drift":
            alone[UNCOMPENSATED] = dataclasses.replace(design, compensation=None)
        alone["drift, compensated" if effect == "drift" else effect] = design
    # Input levels as voltages: pulses of one voltage would not see the I-V.
    curved = dm.Ideal(whole.device.g_min, whole.device.g_max, dm.iv.Sinh(config.kappa))
    alone[IV] = ms.Crossbar(curved, dac=ms.DAC(None), tile=whole.tile)
    return alone | {UNSATURATED: ms.without(whole, "saturation"), TOGETHER: whole}


def together(config: Config) -> ms.Crossbar:
    ms.ADC(config.adc_bits)  # says what cannot be, before currents are computed
    cell = dm.Levels(dm.device(config.device).make(), config.levels)
    return ms.Crossbar(
        dm.StuckCells(cell, config.stuck / 2, config.stuck / 2),
        dac=ms.PulseWidthDAC(config.dac_bits),
        adc=ms.ADC(config.adc_bits, full_scale=config.full_scale * current_spread(config)),
        wires=ms.ResistiveWires(config.segment, config.segment),
        tile=(config.size, config.size),
    )


def current_spread(config: Config) -> float:
    """Standard deviation of the exact currents, in units of one fully-on cell, over a few matrices."""
    meter = ms.Crossbar(dm.Ideal(), adc=ms.ADC(None, 1.0), compensation=None, tile=(config.size, config.size))
    found = [_currents(meter, *workload(config, jr.fold_in(jr.key(1), chip))) for chip in range(4)]
    return float(np.std(found))


@eqx.filter_jit
def _currents(meter: ms.Crossbar, w: Array, x: Array) -> Array:
    return meter.deploy(w, 0.0, key=jr.key(0)).currents(x)[0]


def workload(config: Config, key: Array) -> tuple[Array, Array]:
    """Weights (outputs, inputs), and inputs in units of the largest one (vectors, inputs)."""
    weight_key, input_key = jr.split(key)
    x = jr.normal(input_key, (config.inputs, config.size))
    x = jnp.clip(x, -config.largest_input, config.largest_input) / config.largest_input
    return jr.normal(weight_key, (config.size, config.size)), x


def compute(config: Config, case: str, design: ms.Crossbar) -> xr.Dataset:
    """Histograms and moments of one case, on each chip."""
    found = [on_chip(config, design, jr.fold_in(jr.key(0), chip)) for chip in range(config.chips)]
    histograms = {
        "error_density": (("case", "chip", "error"), [np.histogram(e, ERRORS, density=True)[0] for _, e in found]),
        "error_outside": (("case", "chip"), [np.mean(np.abs(e) > ERRORS[-1]) for _, e in found]),
    }
    moments = {
        "rms": [np.sqrt(np.mean(e**2)) for _, e in found],
        "bias": [np.mean(e) for _, e in found],
        "gain": [1 + np.mean(y * e) / np.mean(y**2) for y, e in found],
    }
    variables = {name: (dims, np.asarray(values)[None]) for name, (dims, values) in histograms.items()}
    variables |= {name: (("case", "chip"), np.asarray(values)[None]) for name, values in moments.items()}
    variables["snr"] = (("case", "chip"), -20 * np.log10(variables["rms"][1]))
    if case == TOGETHER:
        counts = np.sum([np.histogram2d(y, y + e, (OUTPUTS, OUTPUTS))[0] for y, e in found], axis=0)
        variables["count"] = (("exact", "analog"), counts)
    middles = {"error": middle(ERRORS)} | (
        {"exact": middle(OUTPUTS), "analog": middle(OUTPUTS)} if case == TOGETHER else {}
    )
    return xr.Dataset(variables, {"case": [case], "chip": np.arange(config.chips)} | middles)


def middle(edges: np.ndarray) -> np.ndarray:
    return (edges[1:] + edges[:-1]) / 2


def on_chip(config: Config, design: ms.Crossbar, key: Array) -> tuple[np.ndarray, np.ndarray]:
    """Exact outputs of one chip's matrix, and the errors of the analog ones, in standard deviations of the exact ones.

    The same key is the same matrix and the same inputs in every case, and the same chip as far as chance is concerned.
    """
    data_key, chip_key, read_key = jr.split(key, 3)
    w, x = workload(config, data_key)
    exact = np.asarray(x, float) @ np.asarray(w, float).T
    analog = np.asarray(outputs(design, w, x, jnp.asarray(config.time), chip_key, read_key), float)
    return (exact / exact.std()).ravel(), ((analog - exact) / exact.std()).ravel()


@eqx.filter_jit
def outputs(design: ms.Crossbar, w: Array, x: Array, t: Array, chip_key: Array, read_key: Array) -> Array:
    return design.deploy(w, t, key=chip_key)(x, key=read_key)


def labelled(result: xr.Dataset, design: ms.Crossbar, settings: dict) -> xr.Dataset:
    """With units and provenance."""
    names = {
        "rms": "root mean square of the error, in standard deviations of the exact outputs",
        "bias": "mean error, in standard deviations of the exact outputs",
        "gain": "slope of analog over exact outputs",
        "snr": "-20 log10(rms)",
        "error": "analog less exact output, in standard deviations of the exact outputs",
        "error_density": "probability density of the error",
        "error_outside": "fraction of errors outside the bins",
        "exact": "exact output, in its standard deviations",
        "analog": "analog output, in standard deviations of the exact outputs",
        "count": "outputs of all chips, all effects together",
        "chip": "each with a matrix of its own",
    }
    for name, meaning in names.items():
        result[name].attrs = {"units": "dB" if name == "snr" else "1", "long_name": meaning}
    attributes = ms.study.provenance() | ms.study.device_numbers(design) | {"config": json.dumps(settings)}
    return result.assign_attrs(attributes)


def report(result: xr.Dataset) -> None:
    """Prints the moments of each case: mean over chips, and their standard deviation."""
    from rich.console import Console
    from rich.table import Table

    size = f"mean ± standard deviation over {result.sizes['chip']} chips"
    shown = Table("effect", "rms (%)", "bias (%)", "gain", "SNR (dB)", title=f"Error of a product, {size}")
    for case in result.case.values:
        row = result.sel(case=case)
        words = []
        for name, factor, digits in (("rms", 100, 2), ("bias", 100, 2), ("gain", 1, 4), ("snr", 1, 1)):
            values = factor * row[name].values
            words.append(f"{values.mean():.{digits}f} ± {values.std():.{digits}f}")
        shown.add_row(str(case), *words)
    Console(width=120, soft_wrap=False).print(shown)
    alone = result.rms.drop_sel(case=[UNCOMPENSATED, IV, UNSATURATED, TOGETHER])
    added = float((alone**2).sum("case").mean() ** 0.5)
    print(f"Root of the summed squares of what is in {TOGETHER!r}, one by one: {100 * added:.1f} %")
