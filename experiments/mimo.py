"""Detection of many antennas' signals on closed loops: bit errors over the noise of the channel, after each refinement.

Four users send symbols of 16-QAM to 16 antennas through Rayleigh channels. Zero forcing inverts the correlation of the
channels, $H^H H$, minimum mean square error ("mmse") that with the noise power on its diagonal: 4 x 4 complex, 8 x 8
real numbers, one closed loop of cells of 8 levels for each channel. Matched filters and residuals are digital, the
refinement is plain. The digital detector, in float32, gets the same channels, symbols and noise. Writes results/mimo.
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
from _frame import finish, label, of_a_point, origin, places, print_table, swept

USERS, ANTENNAS = 4, 16
# 16-QAM is two bits of the real and two of the imaginary part, Gray coded.
AMPLITUDES = (-3.0, -1.0, 1.0, 3.0)
GRAY = ((0, 0), (0, 1), (1, 1), (1, 0))
ENERGY = 10.0  # of a symbol, mean over the constellation
G_MIN, G_MAX = 0.5e-6, 35e-6  # siemens, with 8 levels: Zuo2025, second-hand
DETECTORS = ("zero forcing", "mmse")
LABELS = {
    "bit_errors": ("1", "wrong bits of all that were sent, on arrays"),
    "digital_bit_errors": ("1", "wrong bits of all that were sent, digital"),
    "differing": ("1", "bits in which arrays and digital detector differ"),
    "bits": ("1", "bits sent a point"),
    "snr": ("dB", "power a user over noise power, at an antenna"),
    "refinements": ("1", "after the first solve"),
}
QUICK = {"snr": (0.0, 8.0), "channels": 50, "symbols": 2}


@ms.study.quick(QUICK)
@dataclass(frozen=True)
class Config:
    """Options of the study. The defaults take some minutes."""

    snr: tuple[float, ...] = (-4.0, -2.0, 0.0, 2.0, 4.0, 6.0, 8.0, 10.0)
    """Decibels."""
    channels: int = 4000
    """Each with a chip of its own."""
    symbols: int = 16
    """Vectors of symbols sent through each channel."""
    refinements: int = 4
    cell_error: float = 0.01
    """Of a written cell, a share of the range of conductances."""
    bits: int = 8
    """Of the converters of a loop."""
    out: Path = Path("results/mimo")
    quick: bool = False
    """A small run of seconds, to try the path. Its numbers mean nothing."""

    def __post_init__(self):
        ms.study.check_options(self)


def run(config: Config) -> xr.Dataset:
    """Runs or continues the study; returns what it writes."""
    chosen = partial(measure, config=of_a_point(config, "snr"))
    result = swept(chosen, {"detector": DETECTORS, "snr": config.snr}, folder=config.out, key=jr.key(0))
    label(result, LABELS)
    result = result.assign_attrs(origin(config, design=design(config.cell_error)))
    table = (result.bit_errors / result.bits).to_dataframe("bit_error_rate").reset_index()
    finish("mimo", result, table, out=config.out, report=lambda: report(result))
    return result


def measure(detector, snr, *, key, config: Config) -> xr.Dataset:
    """Wrong bits of all channels, of the digital detector and after each refinement on arrays."""
    keys = jr.split(jr.fold_in(key, round(10 * snr) + 1000), config.channels)  # no two points share channels
    inverse, crossbar = ms.solve.ClosedLoop(bits=config.bits), design(config.cell_error)
    power = jnp.asarray(10.0 ** (-snr / 10))
    found = one_channel(crossbar, inverse, power, detector == "mmse", config.symbols, config.refinements, keys)
    wrong, digital, differing = (np.asarray(jnp.sum(part, axis=0)) for part in found)
    return xr.Dataset(
        {"bit_errors": ("refinements", wrong), "differing": ("refinements", differing)}
        | {"digital_bit_errors": ((), digital), "bits": ((), config.channels * config.symbols * 4 * USERS)},
        {"refinements": np.arange(config.refinements + 1)},
    )


def design(cell_error: float) -> ms.Crossbar:
    """Arrays of cells of 8 levels that are written with this error, a share of the range."""
    cells = dm.Gaussian(G_MIN, G_MAX, write_noise=dm.curves.Constant(cell_error * (G_MAX - G_MIN)))
    return ms.Crossbar(dm.Levels(cells, 8), compensation=None)


@eqx.filter_jit
def one_channel(crossbar, inverse, power, regular: bool, symbols: int, refinements: int, keys):
    """Of each channel: bits wrong after each refinement, wrong in digital, and different between the two."""

    def one(key):
        channel_key, bit_key, noise_key, chip_key = jr.split(key, 4)
        h = ms.encoding.real_block(complex_normal(channel_key, (ANTENNAS, USERS)))
        sent = jr.randint(bit_key, (symbols, 2 * USERS), 0, len(AMPLITUDES))
        x = jnp.asarray(AMPLITUDES)[sent] / jnp.sqrt(ENERGY)
        y = x @ h.T + jnp.sqrt(power) * ms.encoding.to_real(complex_normal(noise_key, (symbols, ANTENNAS)))
        a = h.T @ h + (power if regular else 0.0) * jnp.eye(2 * USERS)
        exact = decided(jnp.linalg.solve(a, h.T @ y.T).T)
        found = ms.solve.refine(a, y @ h, crossbar, inverse=inverse, steps=refinements, memory=0, key=chip_key)
        got = decided(found.iterates)
        return wrong_bits(got, sent[None], (1, 2)), wrong_bits(exact, sent, None), wrong_bits(got, exact[None], (1, 2))

    return jax.lax.map(one, keys, batch_size=500)


def complex_normal(key, shape):
    """Complex numbers with a mean square of one."""
    real, imaginary = jr.normal(key, (2, *shape)) / jnp.sqrt(2.0)
    return jax.lax.complex(real, imaginary)


def decided(x):
    """The nearest amplitudes, by their place."""
    return jnp.clip(jnp.round((x * jnp.sqrt(ENERGY) + 3) / 2), 0, len(AMPLITUDES) - 1).astype(int)


def wrong_bits(found, sent, axis):
    """How many bits differ."""
    code = jnp.asarray(GRAY)
    return jnp.sum(jnp.sum(code[found] != code[sent], axis=-1), axis=axis)


def report(result: xr.Dataset) -> None:
    """Prints bit error rates, digital and after each refinement."""
    rows = []
    for place in places(result, "detector", "snr"):
        chosen = result.sel(place)
        rates = chosen.bit_errors.values / float(chosen.bits)
        digital = f"{float(chosen.digital_bit_errors) / float(chosen.bits):.2e}"
        rows.append([place["detector"], f"{place['snr']:g}", digital, *(f"{rate:.2e}" for rate in rates)])
    columns = ["detector", "SNR (dB)", "digital", *(f"{k} refined" for k in result.refinements.values)]
    print_table(columns, rows, title=f"Bit errors of {int(result.bits.values.flat[0])} bits")
