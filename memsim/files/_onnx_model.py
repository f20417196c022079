"""A graph of ONNX as a module that is called on one sample."""

from typing import Any, NamedTuple

import equinox as eqx
import jax.random as jr
from jaxtyping import Array, Key

from .._checks import as_floats, check_optional_key
from ._onnx_ops import OPERATORS, Given

LAYER = "Layer"


class Step(NamedTuple):
    """A node: its operator, its name, the names of its inputs and of its output, and its settings."""

    operator: str
    name: str
    inputs: tuple[str, ...]
    output: str
    settings: tuple[tuple[str, Any], ...] = ()


class OnnxModel(eqx.Module):
    """A network from a file of ONNX, called as `model(x, key=key)` on one sample, without a batch axis.

    **Arguments:**

    - `layers`: What multiplies by a matrix, by name; those of memsim where there are such.
    - `constants`: Other weights, by their name in the file.
    - `steps`: The nodes in their order.
    - `inputs`, `outputs`: Names.
    """

    layers: dict[str, Any]
    constants: dict[str, Array]
    steps: tuple[Step, ...] = eqx.field(static=True)
    inputs: tuple[str, ...] = eqx.field(static=True)
    outputs: tuple[str, ...] = eqx.field(static=True)

    def __call__(self, *xs: Any, key: Key[Array, ""] | None = None) -> Any:
        """One sample; several outputs come as a tuple. Layers with read noise need `key`."""
        check_optional_key(key)
        if len(xs) != len(self.inputs):
            raise ValueError(f"The model must have {len(self.inputs)} inputs, {', '.join(self.inputs)}. Got {len(xs)}.")
        values = {name: Given(value, True) for name, value in self.constants.items()}
        values |= {name: Given(as_floats(x, name), False) for name, x in zip(self.inputs, xs, strict=True)}
        for place, step in enumerate(self.steps):
            given = [values[name] for name in step.inputs]
            settings = dict(step.settings)
            try:
                if step.operator == LAYER:
                    own = None if key is None else jr.fold_in(key, place)
                    found = self.layers[settings["layer"]](given[0].value, key=own)
                else:
                    found = OPERATORS[step.operator](*given, **settings)
            except ValueError as error:
                raise ValueError(f"The node {step.name} ({step.operator}): {error}") from error
            values[step.output] = Given(found, False)
        results = tuple(values[name].value for name in self.outputs)
        return results[0] if len(results) == 1 else results
