"""A real chip in the loop: its outputs, with the gradient of a model of it."""

from collections.abc import Callable
from threading import Lock
from typing import Any, NamedTuple

import equinox as eqx
import jax
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Float, Key

from .._checks import checked, described
from ..nn._calling import as_sample, call
from ..train._task import MODEL
from ._through import straight_through


class Answer(NamedTuple):
    """One read of the hardware."""

    x: np.ndarray
    y: np.ndarray


class Answers:
    """What the hardware has answered, in order.

    After `rewind` the first one comes again, and so on; what is kept is not asked again.
    """

    def __init__(self, hardware: Callable[[np.ndarray], Any]):
        self.hardware, self.kept, self._place, self._lock = hardware, list[Answer](), 0, Lock()

    def rewind(self) -> None:
        """The next read is the first one again."""
        self._place = 0

    def ask(self, x: np.ndarray, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        """What the hardware gives out for `x`, or gave before."""
        with self._lock:
            if self._place < len(self.kept):
                return self._again(x)
            y = self._asked(np.asarray(x), shape, dtype)
            self.kept.append(Answer(np.array(x), y))
            self._place += 1
            return y

    def _again(self, x: np.ndarray) -> np.ndarray:
        kept = self.kept[self._place]
        if kept.x.shape != np.shape(x) or not np.array_equal(kept.x, x):
            raise ValueError(
                f"Reads must come again in the order in which they were kept. Got another input at read {self._place}. "
                "Begin anew with `in_the_loop(hardware, model)`."
            )
        self._place += 1
        return kept.y

    def _asked(self, x: np.ndarray, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        place = len(self.kept)
        kept = f"The {place} reads before it are kept in `answers`, and not asked again by the same call."
        try:
            y = np.asarray(self.hardware(x))
        except Exception as error:
            self.rewind()
            raise RuntimeError(
                f"`hardware` must answer every read. It raised {type(error).__name__} at read {place}: {error}. {kept}"
            ) from error
        except BaseException:  # a person, with Ctrl-C
            self.rewind()
            raise
        if y.shape != shape or y.dtype.kind not in "biuf" or not np.isfinite(y).all():
            self.rewind()
            raise RuntimeError(
                f"`hardware` must give finite numbers of the shape of the model's outputs, {shape}. Got "
                f"{y.dtype} of shape {y.shape}{'' if y.shape != shape else ', not all finite'} at read {place}. {kept}"
            )
        return y.astype(dtype)


class InTheLoop(eqx.Module):
    """What `in_the_loop` gives: called on a sample as the model is.

    >>> import jax.numpy as jnp, memsim as ms
    >>> loop = ms.heal.in_the_loop(lambda x: 2 * x, lambda x: x)
    >>> isinstance(loop, ms.heal.InTheLoop), float(loop(jnp.asarray(3.0))), len(loop.answers.kept)
    (True, 6.0, 1)
    """

    model: Any
    answers: Answers = eqx.field(static=True)

    def __call__(self, x: Any, *, key: Key[Array, ""] | None = None) -> Float[Array, "*outputs"]:
        """The outputs of the hardware for one sample."""
        x = as_sample(self.model, x)
        frozen = jax.tree.map(lambda a: jax.lax.stop_gradient(a) if eqx.is_inexact_array(a) else a, self.model)
        behind = call(frozen, x, key=key)
        shape = jax.ShapeDtypeStruct(behind.shape, behind.dtype)

        def ask(x: Any) -> np.ndarray:
            return self.answers.ask(np.asarray(x), shape.shape, shape.dtype)

        if isinstance(x, Tracer) or isinstance(behind, Tracer):
            found = jax.pure_callback(ask, shape, jax.lax.stop_gradient(x), vmap_method="sequential")
        else:
            found = jax.numpy.asarray(ask(x))
        return straight_through(found, behind)


@checked(model=MODEL)
def in_the_loop(hardware: Callable[..., Any], model: Any) -> InTheLoop:
    r"""A chip that is there: forward its own outputs, backward the gradient of a `model` of it.

    $y = h(x)$ and $\partial y / \partial x = \partial f / \partial x$, straight through the difference. It stands where
    a layer or a whole network does; what comes before and after it is trained through it, by `memsim.train.fit` or by
    hand. The numbers of `model` are not trained.

    Every answer is kept, in order. Where `hardware` raises half-way, so does the call, by the number of the read; when
    it is called again in the same way, it asks for what is missing only, and nothing is lost. Reads of a batch under
    `jax.vmap` are asked one after the other. `loop.answers.kept` has inputs and outputs.

    **Arguments:**

    - `hardware`: Any function of one sample, a NumPy array, that gives out an array: a chip, or somebody's server.
    - `model`: That gives outputs of the same shape for one sample: a moment of a chip as it is believed to be, or the
      digital model.

    **Raises:** `RuntimeError` where `hardware` raises, or gives out another shape or NaN; within compiled code JAX
    makes another error of it, with the same words.

    >>> import jax, jax.numpy as jnp, memsim as ms
    >>> loop = ms.heal.in_the_loop(lambda x: x**2 + 0.1, lambda x: x**2)
    >>> float(loop(jnp.asarray(3.0))), float(jax.grad(loop)(jnp.asarray(3.0)))
    (9.100000381469727, 6.0)
    """
    if not callable(hardware):
        raise ValueError(f"`hardware` must be a function of one sample. Got {described(hardware)}.")
    return InTheLoop(model, Answers(hardware))  # pyright: ignore[reportCallIssue]
