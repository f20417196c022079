"""Reads as they are handed over: numbers, of the right shape, in the right units, with the right sign."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from .._checks import is_known
from ._circuit import Circuit
from ._known import Known
from ._questions import Question

MOST_VOLTS = 5.0
MOST_CURRENT, AGAINST = 30.0, -0.3  # relative to cells in the middle of their range; correlation with these


def real(name: str, values: Any) -> np.ndarray:
    """Numbers in float64; raises `ValueError` for what is traced, complex or no number."""
    if not is_known(values):
        raise ValueError(
            f"`{name}` must be known. Got one that is traced. Call outside of `jit` and `vmap`: reads of many chips "
            "go in together, `y` of shape (chips, reads, outputs)."
        )
    found = np.asarray(values)
    if found.dtype.kind not in "biuf" and not jnp.issubdtype(found.dtype, jnp.floating):
        raise ValueError(f"`{name}` must be real numbers. Got {found.dtype}.")
    return found.astype(np.float64)


def check_reads(x: np.ndarray, y: np.ndarray, asked: Question, inputs: int, known: Known) -> None:
    """Raises `ValueError` for reads of other shapes, too few, or of nothing."""
    outputs = len(asked.noise)
    if x.ndim != 2 or x.shape[1] != inputs or y.shape[-2:] != (len(x), outputs) or y.ndim not in (2, 3):
        raise ValueError(
            f"`x` and `y` must be of shape (reads, {inputs}) and (reads, {outputs}). Got {x.shape} and {y.shape}."
        )
    least = 1 if known.targets is not None else -(-asked.law.mean.shape[2] // 2)
    if len(x) < least:
        raise ValueError(
            f"Reads must be at least {least}, half as many as word lines where `targets` are not known. Got {len(x)}."
        )
    if not np.any(x):
        raise ValueError("Inputs must drive the array. Got zeros only.")


def check_units(x: np.ndarray, y: np.ndarray, design: Circuit) -> None:
    """Raises `ValueError` for other units and other signs, which no array of these cells gives, whatever its wires."""
    if np.abs(x).max() > MOST_VOLTS:
        raise ValueError(
            f"`x` must be voltages, in volts, of at most {MOST_VOLTS:g}. Got {np.abs(x).max():g}. Millivolts? Multiply "
            "by 1e-3."
        )
    rows = design.rows
    middle = (float(design.device.g_max) + float(design.device.g_min)) / 2
    if design.terminals == "bit lines":
        parts = {"of the bit lines must be those into the sinks": (y, np.sum(x, axis=1)[:, None] * middle)}
    else:
        word, bit = x[:, :rows], x[:, rows:]
        drawn = design.columns * word - np.sum(bit, axis=1)[:, None]
        given = np.sum(word, axis=1)[:, None] - rows * bit
        parts = {
            "of the word lines must be those out of the drivers": (y[..., :rows], middle * drawn),
            "of the bit lines must be those into the sinks": (y[..., rows:], middle * given),
        }
    for words, (found, usual) in parts.items():
        usual = np.broadcast_to(usual, found.shape)
        size, normal = np.linalg.norm(found), np.linalg.norm(usual)
        least = middle * np.linalg.norm(x) * np.sqrt(max(found.size // len(x), 1))
        if size == 0:
            raise ValueError(f"Currents {words}. Got zeros only. Is the array connected?")
        if size > MOST_CURRENT * max(normal, least):
            raise ValueError(
                f"Currents {words}, in amperes. Got {size / max(normal, least):.2g} times what cells in the middle of "
                "their range give. Microamperes? Multiply by 1e-6."
            )
        # Of inputs whose volts add up to nothing, cells in the middle give no current that could be compared.
        if normal > 0.3 * least and np.sum(found * usual) < AGAINST * size * normal:
            raise ValueError(f"Currents {words}. Got the opposite sign. Multiply them by -1.")
