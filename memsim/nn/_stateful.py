"""An Equinox model that keeps a state, as one that is called on a sample."""

from typing import Any

import equinox as eqx
import jax
from jaxtyping import Array, Key

from .._checks import check, write
from ._calling import takes


class Stateful(eqx.Module):
    """A model with its `equinox.nn.State`, called on one sample: the output only.

    Running statistics of `BatchNorm` are part of the state. It goes wherever a model goes: `Stateful(convert(model),
    state)` onto chips. Its state takes no part in training by gradient. For inference, `equinox.nn.inference_mode`.
    `memsim.train.fit` trains it with the statistics of the batch. By hand that takes the name of the norms'
    axis, and gives the new state:

        ys, state = jax.vmap(model.update, out_axes=(0, None), axis_name="batch")(xs)
        model = Stateful(model.model, state)

    **Arguments:**

    - `model`: Called as `model(x, state) -> (y, state)`; with a `key`, too, if it takes one.
    - `state`: Such as from `equinox.nn.make_with_state`.

    >>> import equinox as eqx, jax.numpy as jnp, jax.random as jr, memsim as ms
    >>> def make():
    ...     return eqx.nn.Sequential([eqx.nn.Linear(3, 2, key=jr.key(0)), eqx.nn.BatchNorm(2, "batch", mode="batch")])
    >>> model, state = eqx.nn.make_with_state(make)()
    >>> eqx.nn.inference_mode(ms.nn.Stateful(ms.nn.convert(model), state))(jnp.ones(3)).shape
    (2,)
    """

    model: eqx.Module
    state: eqx.nn.State

    def __check_init__(self):
        check(
            self,
            model=write("Such as one of `equinox.nn.make_with_state`."),
            state=write("`equinox.nn.make_with_state(Model)(...)` gives a model and its state."),
        )

    def __call__(self, x: Any, *, key: Key[Array, ""] | None = None) -> Any:
        """The output for one sample."""
        return self.update(x, key=key)[0]

    def update(self, x: Any, *, key: Key[Array, ""] | None = None) -> tuple[Any, eqx.nn.State]:
        """The output for one sample, and the state after it."""
        state = jax.lax.stop_gradient(self.state)  # a copy: Equinox voids a state that has been changed
        found = self.model(x, state, **({"key": key} if takes(self.model, "key") else {}))  # pyright: ignore
        if not (isinstance(found, tuple) and len(found) == 2 and isinstance(found[1], eqx.nn.State)):
            raise ValueError(
                "A model with a state must give out a pair, (output, state). "
                f"Got a {type(found).__name__} from {type(self.model).__name__}."
            )
        return found
