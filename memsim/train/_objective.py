"""What a training minimises, and by what its classes are named."""

from collections.abc import Callable, Mapping

from jaxtyping import Array

from .._checks import Checked
from ._loss import class_scores


class Objective(Checked):
    """A loss with scores and a penalty of its own, in place of a bare loss: `fit(..., loss=Objective(...))`.

    **Arguments:**

    - `loss`: Of the outputs (steps, classes) and label of one sequence.
    - `scores`: From the outputs to one score a class, the largest of which names the class: `latency_scores` for a
      network trained with `latency_cross_entropy`.
    - `penalty`: Of the spikes of one sequence, path of a layer -> (steps, ...), such as `SpikeRate`; added to the loss.
    """

    loss: Callable[[Array, Array], Array]
    scores: Callable[[Array], Array] = class_scores
    penalty: Callable[[Mapping[str, Array]], Array] | None = None


def as_objective(loss: Callable[[Array, Array], Array] | Objective) -> Objective:
    """A bare loss as an objective."""
    return loss if isinstance(loss, Objective) else Objective(loss)
