"""Whether model, data and scores fit each other: said before any work."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from .._checks import check_finite, check_finite_model, described, numbers, that, write
from ..data import Splits
from ..nn._calling import check_model, output_shape, takes
from ._objective import Kind, Scores, masked
from ._samples import Samples

MODEL = write(
    "That is anything that is called on one sample, such as a `memsim.nn.SpikingNetwork` or an Equinox model."
)
SET = that(
    "samples and labels, all of them finite",
    np.isfinite,
    hint=lambda data: "Pass one of its sets, such as `data.test`." if isinstance(data, Splits) else "",
)
BOTH: tuple[Kind, ...] = ("classes", "numbers")


def check_task(model: Any, samples: Samples, scores: Scores, *, kinds: Sequence[Kind] = BOTH) -> None:
    """Raises `ValueError` unless `model` gives each sample what its label can be compared with, all of it finite.

    That is a score for each class, or a prediction of the label's shape. Traced values are judged by shape and dtype.
    """
    check_model(model)
    check_finite_model(model)
    _check_data(samples, kinds)
    _check_lengths(model, samples)
    found = shape_of_scores(model, samples, scores)
    if samples.kind == "numbers":
        if found != samples.labels.shape[1:]:
            raise ValueError(
                f"Predictions must have the shape of the labels, {samples.labels.shape[1:]} a sample. Got {found}."
            )
        return
    wanted = max([2, *(int(labels.max()) + 1 for labels in numbers(samples.labels))])
    if len(found) != 1:
        raise ValueError(
            "`scores` must make one score a class of the outputs of one sample. "
            f"Got scores of shape {found} from outputs of shape {output_shape(model, samples.xs[0])}."
        )
    if found[0] < wanted:
        raise ValueError(
            f"There must be a score for each class, {wanted} of them by the labels. Got {found[0]} from `model`; "
            "give it as many outputs as classes, or `scores` that make one score a class of its outputs."
        )


def check_loss(model: Any, samples: Samples, loss: Callable[..., Any]) -> None:
    """Raises `ValueError` for what does not make one number of the outputs and the label of one sample."""
    outputs, mask = _outputs(model, samples)
    label = jax.ShapeDtypeStruct(samples.labels.shape[1:], samples.labels.dtype)
    found = _tried("loss", masked(loss, mask, "loss"), outputs, label)
    if getattr(found, "shape", None) != () or not jnp.issubdtype(found.dtype, jnp.floating):
        came = f"{found.dtype} of shape {found.shape}" if hasattr(found, "dtype") else described(found)
        raise ValueError(f"`loss` must make one float of the outputs and the label of one sample. Got {came}.")


def _outputs(model: Any, samples: Samples) -> tuple[jax.ShapeDtypeStruct, Any]:
    """The outputs for one sample by shape, and a mask where its steps are told apart."""
    outputs = jax.ShapeDtypeStruct(output_shape(model, samples.xs[0]), jnp.result_type(float))
    steps = samples.xs.shape[1] if samples.xs.ndim > 1 else None
    over_time = samples.lengths is not None and len(outputs.shape) > 1 and outputs.shape[0] == steps
    return outputs, jnp.ones(outputs.shape[0], bool) if over_time else None


def _check_lengths(model: Any, samples: Samples) -> None:
    """Raises `ValueError` where nothing leaves out steps that do not count, or targets may be one a step or not."""
    if samples.lengths is None:
        return
    outputs, mask = _outputs(model, samples)
    if mask is None and not takes(model, "mask"):
        raise ValueError(
            "A model of data with `lengths` must give out each step, or take `mask=`, the steps that count. Got "
            f"outputs of shape {outputs.shape} of {samples.xs.shape[1:2]} steps; add the argument to its call."
        )
    if samples.targets_over_time and outputs.shape != samples.labels.shape[1:]:
        raise ValueError(
            "Targets must tell whether there is one a step. Got as many numbers a sample as steps, "
            f"{samples.labels.shape[1:]}, and outputs of shape {outputs.shape}; pad the samples by one step more."
        )


def shape_of_scores(model: Any, samples: Samples, scores: Scores) -> tuple[int, ...]:
    """The shape of what `scores` makes of the outputs for one sample."""
    outputs, mask = _outputs(model, samples)
    return _tried("scores", masked(scores, mask, "scores"), outputs).shape


def _tried(name: str, function: Callable[..., Any], *inputs: jax.ShapeDtypeStruct) -> Any:
    """What a user's `function` makes of such inputs, by shape and dtype."""
    try:
        return jax.eval_shape(function, *inputs)
    except Exception as error:  # whatever it raises
        raise ValueError(
            f"`{name}` must take the outputs of one sample, here of shape {inputs[0].shape}"
            f"{', and its label' * (len(inputs) > 1)}. It raised {type(error).__name__}: {error}"
        ) from error


def _check_data(samples: Samples, kinds: Sequence[Kind]) -> None:
    xs, labels, _ = samples
    if samples.kind not in kinds or (samples.kind == "classes" and labels.ndim != 1):
        raise ValueError(
            "`labels` must be one whole number a sample, its class: what is asked for is a classification. Got "
            f"{labels.dtype} of shape {labels.shape}."
        )
    if xs.ndim < 1 or xs.shape[0] != labels.shape[0] or not labels.shape[0]:
        raise ValueError(
            "There must be one sample or more, a label for each, on the first axis of both. "
            f"Got shapes {xs.shape} and {labels.shape}."
        )
    check_finite("inputs", xs, "Remove or repair those recordings.")
    for found in numbers(labels):
        if samples.kind == "classes" and found.min() < 0:
            raise ValueError(f"`labels` must be at least 0. Got {found.min()}.")
        check_finite("labels", found)
