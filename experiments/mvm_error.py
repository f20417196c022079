"""Error of one analog matrix-vector product: from each non-ideality alone, and from all together.

Gaussian weights are written to chips of phase-change memory, each chip with a matrix of its own, and read a day later
with many Gaussian inputs, cut where the DAC ends. The outputs are compared with the exact product, in units of the
standard deviation of the exact outputs. Cells with a nonlinear I-V stand alone: behind resistive wires their read is
no product. Writes results/mvm_error: mvm_error.nc, mvm_error.csv.
"""

import dataclasses
from dataclasses import dataclass
from functools import partial, reduce
from pathlib import Path

import jax.random as jr
import numpy as np
import xarray as xr

import device_models as dm
import memsim as ms
from _frame import finish, label, of_a_point, origin, print_table, swept
from _products import Workload, current_spread, on_chip

UNCOMPENSATED, IV = "drift, uncompensated", "I-V"
UNSATURATED, TOGETHER = "all but saturation", "all together"
OUTPUTS, ERRORS = np.linspace(-4.0, 4.0, 161), np.linspace(-2.0, 2.0, 401)  # edges of bins, in standard deviations
LABELS = {
    "rms": ("1", "root mean square of the error, in standard deviations of the exact outputs"),
    "bias": ("1", "mean error, in standard deviations of the exact outputs"),
    "gain": ("1", "slope of analog over exact outputs"),
    "snr": ("dB", "-20 log10(rms)"),
    "error": ("1", "analog less exact output, in standard deviations of the exact outputs"),
    "error_density": ("1", "probability density of the error"),
    "error_outside": ("1", "fraction of errors outside the bins"),
    "exact": ("1", "exact output, in its standard deviations"),
    "analog": ("1", "analog output, in standard deviations of the exact outputs"),
    "count": ("1", "outputs of all chips, all effects together"),
    "chip": ("1", "each with a matrix of its own"),
}
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

    @property
    def workload(self) -> Workload:
        return Workload(self.size, self.inputs, self.largest_input)


def run(config: Config) -> xr.Dataset:
    """Runs or continues the study; returns what it writes."""
    grid, chosen = {"case": cases(config), "chip": range(config.chips)}, of_a_point(config, "chips")
    result = swept(partial(measure, config=chosen), grid, folder=config.out, key=jr.key(0))
    result["count"] = result["count"].sel(case=TOGETHER, drop=True).sum("chip")
    label(result, LABELS)
    result = result.assign_attrs(origin(config, design=grid["case"][TOGETHER]))
    table = result[["rms", "bias", "gain", "snr"]].to_dataframe()
    finish("mvm_error", result, table.reset_index(), out=config.out, report=lambda: report(result))
    return result


def measure(case, chip, *, key, config: Config) -> xr.Dataset:
    """Histograms and moments of the errors of one design, on one chip with its own matrix."""
    y, e = on_chip(config.workload, case, config.time, key=key)
    errors, outputs = ((edges[1:] + edges[:-1]) / 2 for edges in (ERRORS, OUTPUTS))
    found = {
        "rms": np.sqrt(np.mean(e**2)),
        "snr": -10 * np.log10(np.mean(e**2)),
        "bias": np.mean(e),
        "gain": 1 + np.mean(y * e) / np.mean(y**2),
        "error_outside": np.mean(np.abs(e) > ERRORS[-1]),
        "error_density": ("error", np.histogram(e, ERRORS, density=True)[0]),
        "count": (("exact", "analog"), np.histogram2d(y, y + e, (OUTPUTS, OUTPUTS))[0].astype(np.int32)),
    }
    return xr.Dataset(found, {"error": errors, "exact": outputs, "analog": outputs})


def cases(config: Config) -> dict[str, ms.Crossbar]:
    """Designs with each effect alone, then those with all of them; all but the I-V, which stands alone."""
    whole = together(config)
    effects = ms.effects(whole)
    alone = {}
    for effect in effects:
        design = reduce(ms.without, (other for other in effects if other != effect), whole)
        if effect == "drift":
            alone[UNCOMPENSATED] = dataclasses.replace(design, compensation=None)
        alone["drift, compensated" if effect == "drift" else effect] = design
    # Input levels as voltages: pulses of one voltage would not see the I-V.
    curved = dm.Ideal(whole.device.g_min, whole.device.g_max, dm.iv.Sinh(config.kappa))
    alone[IV] = ms.Crossbar(curved, dac=ms.DAC(None), tile=whole.tile)
    return alone | {UNSATURATED: ms.without(whole, "saturation"), TOGETHER: whole}


def together(config: Config) -> ms.Crossbar:
    ms.ADC(config.adc_bits)  # says what cannot be
    cell = dm.Levels(dm.device(config.device).make(), config.levels)
    return ms.Crossbar(
        dm.StuckCells(cell, config.stuck / 2, config.stuck / 2),
        dac=ms.PulseWidthDAC(config.dac_bits),
        adc=ms.ADC(config.adc_bits, full_scale=config.full_scale * current_spread(config.workload)),
        wires=ms.ResistiveWires(config.segment, config.segment),
        tile=(config.size, config.size),
    )


def report(result: xr.Dataset) -> None:
    """Prints the moments of each case: mean over chips, and their standard deviation."""
    rows = []
    for case in result.case.values:
        row = result.sel(case=case)
        columns = ((100 * row.rms, 2), (100 * row.bias, 2), (row.gain, 4), (row.snr, 1))
        rows.append([case, *(f"{float(x.mean()):.{n}f} ± {float(x.std()):.{n}f}" for x, n in columns)])
    title = f"Error of a product, mean ± standard deviation over {result.sizes['chip']} chips"
    print_table(["effect", "rms (%)", "bias (%)", "gain", "SNR (dB)"], rows, title=title)
    alone = result.rms.drop_sel(case=[UNCOMPENSATED, IV, UNSATURATED, TOGETHER])
    added = float((alone**2).sum("case").mean() ** 0.5)
    print(f"Root of the summed squares of what is in {TOGETHER!r}, one by one: {100 * added:.1f} %")
