"""Whether model, data and scores fit each other: said before any work."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from .._checks import check_finite, check_finite_model, described, numbers, write
from ..data import Dataset, Splits
from ..nn._calling import check_network, output_shape

NETWORK = write(
    "That is a network over time, such as a `memsim.nn.SpikingNetwork`. Call other models on samples yourself: "
    "`jax.vmap(model)(xs)`."
)
ONE_SET = write(lambda data: "Pass one of its sets, such as `data.test`." if isinstance(data, Splits) else "")
THREE_SETS = write(
    lambda data: (
        "Write `memsim.data.Splits(train, validation, test)` of three sets." if isinstance(data, Dataset) else ""
    )
)


def check_task(model: Any, xs: Any, labels: Any, scores: Callable[..., Any], purpose: str) -> None:
    """Raises `ValueError` unless `model` gives each of `xs` a score for the class of its label, all of it finite.

    Traced values are judged by shape and dtype. `purpose` names the caller, such as "`memsim.train.fit`".
    """
    check_network(model, purpose)
    check_finite_model(model)
    _check_data(xs, labels)
    classes = _number_of_scores(model, xs, scores)
    wanted = max([2, *(int(found.max()) + 1 for found in numbers(labels))])
    if classes < wanted:
        raise ValueError(
            f"There must be a score for each class, {wanted} of them by the labels. Got {classes} from `model`; "
            "give it as many outputs as classes, or `scores` that make one score a class of its outputs."
        )


def check_loss(model: Any, xs: Any, loss: Callable[..., Any]) -> None:
    """Raises `ValueError` for what does not make one number of the outputs and the label of one sequence."""
    outputs = jax.ShapeDtypeStruct(output_shape(model, xs[0]), jnp.result_type(float))
    found = _tried("loss", loss, outputs, jax.ShapeDtypeStruct((), jnp.int32))
    if getattr(found, "shape", None) != () or not jnp.issubdtype(found.dtype, jnp.floating):
        came = f"{found.dtype} of shape {found.shape}" if hasattr(found, "dtype") else described(found)
        raise ValueError(f"`loss` must make one float of the outputs and the label of one sequence. Got {came}.")


def _tried(name: str, function: Callable[..., Any], *inputs: jax.ShapeDtypeStruct) -> Any:
    """What a user's `function` makes of such inputs, by shape and dtype."""
    try:
        return jax.eval_shape(function, *inputs)
    except Exception as error:  # whatever it raises
        raise ValueError(
            f"`{name}` must take the outputs of one sequence, here of shape {inputs[0].shape}"
            f"{', and its label' * (len(inputs) > 1)}. It raised {type(error).__name__}: {error}"
        ) from error


def _check_data(xs: Any, labels: Any) -> None:
    if not all(isinstance(values, jax.Array | np.ndarray) for values in (xs, labels)):
        came = f"{described(xs)} and {described(labels)}"
        raise ValueError(f"Sequences and labels must be arrays. Got {came}. Write `jnp.asarray(...)` around them.")
    if labels.ndim != 1 or not jnp.issubdtype(labels.dtype, jnp.integer):
        raise ValueError(
            "`labels` must be one whole number a sequence, its class: accuracy is that of a classification. Got "
            f"{labels.dtype} of shape {labels.shape}."
        )
    if xs.ndim < 2 or xs.shape[0] != labels.shape[0] or not labels.shape[0]:
        raise ValueError(
            "There must be one sequence or more, a label for each, on the first axis of both. "
            f"Got shapes {xs.shape} and {labels.shape}."
        )
    check_finite("inputs", xs, "Remove or repair those recordings.")
    for found in numbers(labels):
        if found.min() < 0:
            raise ValueError(f"`labels` must be at least 0. Got {found.min()}.")


def _number_of_scores(model: Any, xs: Any, scores: Callable[..., Any]) -> int:
    outputs = jax.ShapeDtypeStruct(output_shape(model, xs[0]), jnp.result_type(float))
    shape = _tried("scores", scores, outputs).shape
    if len(shape) != 1:
        raise ValueError(
            "`scores` must make one score a class of the outputs of one sequence. Got scores of shape "
            f"{shape} from outputs of shape {outputs.shape}."
        )
    return shape[0]
