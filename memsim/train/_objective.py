"""What a training minimises, and by what its predictions are made and judged."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from jaxtyping import Array

from .._checks import Checked
from ._loss import class_scores, cross_entropy, mse, prediction
from ._metrics import Function, Metric, as_metrics

Kind = Literal["classes", "numbers"]
Scores = Callable[..., Array]


class Objective(Checked):
    """A loss with scores, a penalty and a metric of its own, instead of a bare loss: `fit(..., loss=Objective(...))`.

    **Arguments:**

    - `loss`: Of the outputs and the label of one sample.
    - `scores`: From the outputs to one score a class, the largest of which names the class: `latency_scores` for a
      network trained with `latency_cross_entropy`. By default `class_scores`; `prediction` where labels are numbers.
    - `penalty`: Of the spikes of one sequence, path of a layer -> (steps, ...), such as `SpikeRate`; added to the loss.
    - `metric`: What an epoch is validated by: a name such as "f1", or a function of predictions and labels. By default
      "accuracy", and "rmse" where labels are numbers.
    - `better`: Of a function, whether "larger" or "smaller" values are better; `fit(stop=...)` must know.

    Of data with `lengths`, `loss` and `scores` must take `mask=`, the steps that count, as those of memsim do; a
    `penalty` is of all steps.

    >>> import memsim as ms
    >>> goal = ms.train.Objective(ms.train.count_cross_entropy, metric="f1")
    >>> goal.metric  # for `ms.train.fit(..., loss=goal)`
    'f1'
    """

    loss: Callable[..., Array]
    scores: Scores | None = None
    penalty: Callable[[Mapping[str, Array]], Array] | None = None
    metric: str | Function | None = None
    better: Literal["larger", "smaller"] | None = None


class Goal(NamedTuple):
    """An objective with all of it decided: for one kind of labels."""

    loss: Callable[..., Array]
    scores: Scores
    penalty: Callable[[Mapping[str, Array]], Array] | None
    metric: Metric
    compares: bool = True  # whether it is known which values of the metric are better

    @classmethod
    def of(cls, loss: Callable[..., Array] | Objective | None, kind: Kind, shape: tuple[int, ...] = ()) -> "Goal":
        """What `loss` is for labels of a `kind`, numbers of a `shape` each."""
        usual = cross_entropy if kind == "classes" else mse
        given = loss if isinstance(loss, Objective) else Objective(usual if loss is None else loss)
        (metric,) = as_metrics(None if given.metric is None else (given.metric,), kind)
        compares = given.better is not None or not callable(given.metric)
        metric = metric if given.better is None else metric._replace(better=given.better)
        return cls(given.loss, as_scores(given.scores, kind, shape), given.penalty, metric, compares)


def as_goal(given: Any) -> Goal:
    """A loss or an objective as one for labels that are classes."""
    return given if isinstance(given, Goal) else Goal.of(given, "classes")


@dataclass(frozen=True)
class Predictions:
    """`prediction` of targets of one shape: equal to others of that shape, so that it compiles once."""

    shape: tuple[int, ...]

    def __call__(self, outputs: Array, *, mask: Array | None = None) -> Array:
        return prediction(outputs, self.shape, mask=mask)


def as_scores(scores: Scores | None, kind: Kind, shape: tuple[int, ...] = ()) -> Scores:
    """`scores`, or those that labels of this kind, of such a shape each, have by default."""
    if scores is not None:
        return scores
    return class_scores if kind == "classes" else Predictions(shape)


def masked(function: Callable[..., Any], mask: Array | None, name: str) -> Callable[..., Any]:
    """`function` with the `mask`, where there is one. Raises `ValueError` for a function that takes none."""
    if mask is None:
        return function
    if "mask" not in inspect.signature(function).parameters:
        raise ValueError(
            f"`{name}` must take `mask=`, the steps that count, for data with `lengths`. "
            f"Got {getattr(function, '__name__', function)} without; add it, or leave out the lengths."
        )
    return lambda *arguments: function(*arguments, mask=mask)
