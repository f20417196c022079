"""Descent on a loss with the chip as it is in the forward pass."""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple, TypeVar

import jax
import jax.numpy as jnp
import jax.random as jr
import optax
from jaxtyping import Array, Float, Key

from .._array import AnalogMatrix
from ..nn import analog_layers
from ..nn._calling import evaluating
from ..nn._deploy import digital_weight, replace_weights
from ..train._evaluate import outputs_of
from ..train._objective import Goal, masked
from ..train._samples import Samples
from ._beside import Beside, beside
from ._distilled import distilled_loss, mixtures
from ._remedy import Case
from ._spent import on_chips
from ._through import straight_through

Numbers = TypeVar("Numbers")
Targets = Literal["labels", "outputs", "mixtures"]
READS, MIXING = 1, 2  # folded into the key of an update, for its reads, and of these, for mixtures


class Descent(NamedTuple):
    """Adam with a cosine decay, on batches of samples drawn anew."""

    updates: int
    batch: int
    rate: float

    def __call__(
        self,
        start: Numbers,
        loss: Callable[[Numbers, Samples, Key[Array, ""]], Float[Array, ""]],
        samples: Samples,
        *,
        key: Key[Array, ""],
    ) -> Numbers:
        """The numbers, from `start` on, that have less `loss` on `samples`."""
        optimizer = optax.adam(optax.cosine_decay_schedule(self.rate, self.updates))

        def update(state: Any, key: Array) -> tuple[Any, None]:
            numbers, memory = state
            chosen = samples.take(jr.randint(key, (self.batch,), 0, len(samples)))
            slopes = jax.grad(loss)(numbers, chosen, jr.fold_in(key, READS))
            with jax.numpy_dtype_promotion("standard"):  # optax multiplies floats by counts of steps
                changes, memory = optimizer.update(slopes, memory)
            return (optax.apply_updates(numbers, changes), memory), None

        keys = jr.split(key, self.updates)
        (found, _), _ = jax.lax.scan(update, (start, optimizer.init(start)), keys)  # pyright: ignore
        return found


def learnt(
    case: Case,
    start: dict[str, Beside],
    descent: Descent,
    backward: Literal["moment", "model"],
    targets: Targets = "labels",
    *,
    key: Key[Array, ""],
) -> dict[str, Beside]:
    """Digital work beside the arrays of a chip that has less loss on its samples, from `start` on."""
    now = evaluating(case.now)
    ideal = evaluating(_ideal(case)) if backward == "model" else None
    _check_targets(targets, case.samples)

    def loss(added: dict[str, Beside], samples: Samples, key: Array) -> Float[Array, ""]:
        model, behind = beside(now, added), None if ideal is None else beside(ideal, added)
        if targets == "labels":
            return mean_loss(model, behind, samples, key)
        if targets == "mixtures":
            samples = mixtures(samples, key=jr.fold_in(key, MIXING))
        return distilled_loss(model, behind, case.model, samples, key)

    return descent(start, loss, case.samples, key=key)


def _check_targets(targets: Targets, samples: Samples) -> None:
    if targets != "labels" and samples.kind != "classes":
        raise ValueError(f'`targets` must be "labels" where these are numbers: {targets!r} are of classes.')
    if targets == "mixtures" and not jnp.issubdtype(samples.xs.dtype, jnp.floating):
        raise ValueError(
            f'`targets` must be "labels" or "outputs" for samples of whole numbers. Got {targets!r} and samples of '
            f"{samples.xs.dtype}, of which there is no mean; cast them to floats."
        )


def _ideal(case: Case) -> Any:
    """The digital model, as a moment of chips without errors."""
    layers = analog_layers(case.model)
    exact = {path: AnalogMatrix.exact(digital_weight(path, layers[path])) for path in on_chips(case.chip)}
    return replace_weights(case.model, exact)


def mean_loss(model: Any, behind: Any, samples: Samples, key: Key[Array, ""] | None) -> Float[Array, ""]:
    """Mean loss of the outputs of `model`, of classes or numbers; with the gradient of those of `behind`, if given."""
    shape = samples.labels.shape[1:] if samples.kind == "numbers" else ()
    loss = Goal.of(None, samples.kind, shape).loss
    keys = None if key is None else jr.split(key, len(samples))

    def one(x: Array, length: Array | None, label: Array, key: Array | None) -> Array:
        outputs, mask = outputs_of(model, x, length, key=key)
        if behind is not None:
            outputs = straight_through(outputs, outputs_of(behind, x, length, key=key)[0])
        return masked(loss, mask, "loss")(outputs, label)

    return jnp.mean(jax.vmap(one)(samples.xs, samples.lengths, samples.labels, keys))
