"""Models that bring numbers of their own design."""

import inspect
from abc import ABC, abstractmethod
from typing import Any

import jax

from ._mixed_signal import Designs, MixedSignal
from ._per_layer import PerLayer


class Unnamed:
    """A step of a path that has no name, so that layers within keep theirs."""

    def __str__(self) -> str:
        return ""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Unnamed)

    def __hash__(self) -> int:
        return 0


class AbstractDesigning(ABC):
    """A model with numbers of a design, which are trained as its weights are; called as the model.

    Wherever it is programmed, they take the place of those of the design that is given. Layers have the paths that they
    have in the model.
    """

    model: Any

    @abstractmethod
    def design(self, crossbar: Designs) -> PerLayer | MixedSignal:
        """`crossbar` with the numbers of this model."""

    @abstractmethod
    def holding(self, model: Any) -> "AbstractDesigning":
        """The same numbers, of `model`."""

    def __call__(self, x: Any, **kwargs: Any) -> Any:
        """The output of the model for one sample."""
        return self.model(x, **kwargs)

    def __getattr__(self, name: str) -> Any:
        if name == "__signature__":  # asked for by `inspect.signature`, which so tells what the model takes
            return inspect.signature(self.model)
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")


def bare(model: Any) -> Any:
    """`model` without the numbers of a design that are around it."""
    return bare(model.model) if isinstance(model, AbstractDesigning) else model


def check_outermost(model: Any) -> None:
    """Raises `ValueError` for a part of `model` that brings numbers of a design: those of the whole are asked for."""
    leaves = jax.tree.leaves(bare(model), is_leaf=_designs)
    if (inner := next(filter(_designs, leaves), None)) is not None:
        raise ValueError(
            "A model with ranges or numbers of its own design must be the outermost, or they would not be used. Got a "
            f"{type(inner).__name__} within a {type(bare(model)).__name__}. Put it around all."
        )


def _designs(node: Any) -> bool:
    return isinstance(node, AbstractDesigning)
