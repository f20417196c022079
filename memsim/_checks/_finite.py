"""Whether whole models and data are finite."""

from collections.abc import Iterator
from typing import Any

import equinox as eqx
import jax
import numpy as np

from device_models._checks import numbers


def check_finite(name: str, values: Any, advice: str = "") -> None:
    """Raises `ValueError` where a known array has NaN or infinite entries."""
    for found in numbers(values):
        right = np.isfinite(found)
        if not right.all():
            bad = int((~right).sum())
            where = np.argwhere(~right)[0].tolist()
            place = f", the first at {where}" if found.ndim else ""
            raise ValueError(
                f"`{name}` must be finite. Got {bad} NaN or infinite of {found.size}{place}. {advice}".rstrip()
            )


def check_finite_model(model: Any, name: str = "model") -> None:
    """Raises `ValueError` where a known weight or parameter of `model` is NaN or infinite, and names it by its path."""
    for path, leaf in _parameters(model):
        check_finite(f"{name}{path}", leaf, "Did the training diverge?")


def _parameters(model: Any) -> Iterator[tuple[str, Any]]:
    # A maximum over a window starts from minus infinity, which Equinox keeps as a leaf.
    leaves = jax.tree_util.tree_leaves_with_path(model, is_leaf=lambda node: isinstance(node, eqx.nn.Pool))
    for path, leaf in leaves:
        if eqx.is_inexact_array(leaf) or isinstance(leaf, float | complex):  # not `_like`: it fails for tracers
            yield jax.tree_util.keystr(path), leaf
