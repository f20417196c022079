"""Gated recurrent cells with both matrices on layers that can sit on a crossbar."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Key, Shaped

from ..._checks import as_floats, checked, whole
from ._linear import Linear


class GRUCell(eqx.Module):
    r"""A gated recurrent unit, called as `equinox.nn.GRUCell`: `cell(input, hidden) -> hidden`, no batch axis.

    $r = s(a_r + c_r)$, $z = s(a_z + c_z)$, $n = \tanh(a_n + r (c_n + b_n))$ and $h \to n + z (h - n)$, with $a = W x +
    b$, $c = U h$ and the logistic function $s$. Gates stay digital.

    **Arguments:**

    - `input_size`, `hidden_size`: Numbers of inputs and of hidden units.
    - `use_bias`: Whether there are biases.
    - `key`: For the initial weights.

    >>> import jax.numpy as jnp, jax.random as jr, memsim as ms
    >>> cell = ms.nn.GRUCell(3, 8, key=jr.key(0))
    >>> cell(jnp.ones(3), jnp.zeros(8)).shape, cell.weight_hh.weight.shape
    ((8,), (24, 8))
    """

    weight_ih: Linear
    weight_hh: Linear
    bias_n: Float[Array, " hidden"] | None
    input_size: int = eqx.field(static=True)
    hidden_size: int = eqx.field(static=True)

    @checked(input_size=whole(1), hidden_size=whole(1))
    def __init__(self, input_size: int, hidden_size: int, *, use_bias: bool = True, key: Key[Array, ""]):
        self.weight_ih, self.weight_hh = _matrices(input_size, hidden_size, 3, use_bias, key)
        self.bias_n = jnp.zeros(hidden_size) if use_bias else None
        self.input_size = int(input_size)
        self.hidden_size = int(hidden_size)

    @checked()
    def __call__(
        self,
        input: Shaped[Array, " inputs"],
        hidden: Shaped[Array, " hidden"],
        *,
        key: Key[Array, ""] | None = None,
    ) -> Float[Array, " hidden"]:
        """One step. Matrices with read noise need `key`, a new one for each step."""
        of_input, of_hidden = (None, None) if key is None else jr.split(key)
        a = jnp.split(self.weight_ih(input, key=of_input), 3)
        c = jnp.split(self.weight_hh(hidden, key=of_hidden), 3)
        r, z = jax.nn.sigmoid(a[0] + c[0]), jax.nn.sigmoid(a[1] + c[1])
        hidden = as_floats(hidden, "hidden")
        n = jnp.tanh(a[2] + r * (c[2] if self.bias_n is None else c[2] + self.bias_n))
        return n + z * (hidden - n)


class LSTMCell(eqx.Module):
    r"""A long short-term memory, called as `equinox.nn.LSTMCell`: `cell(input, (hidden, cell)) -> (hidden, cell)`.

    $c \to s(f) c + s(i) \tanh(g)$ and $h = s(o) \tanh(c)$, with $(i, f, g, o) = W x + b + U h$ and the logistic
    function $s$. Gates stay digital.

    **Arguments:** as for `GRUCell`.

    >>> import jax.numpy as jnp, jax.random as jr, memsim as ms
    >>> cell = ms.nn.LSTMCell(3, 8, key=jr.key(0))
    >>> hidden, memory = cell(jnp.ones(3), (jnp.zeros(8), jnp.zeros(8)))
    >>> hidden.shape, cell.weight_ih.weight.shape
    ((8,), (32, 3))
    """

    weight_ih: Linear
    weight_hh: Linear
    input_size: int = eqx.field(static=True)
    hidden_size: int = eqx.field(static=True)

    @checked(input_size=whole(1), hidden_size=whole(1))
    def __init__(self, input_size: int, hidden_size: int, *, use_bias: bool = True, key: Key[Array, ""]):
        self.weight_ih, self.weight_hh = _matrices(input_size, hidden_size, 4, use_bias, key)
        self.input_size = int(input_size)
        self.hidden_size = int(hidden_size)

    @checked()
    def __call__(
        self,
        input: Shaped[Array, " inputs"],
        hidden: tuple[Shaped[Array, " hidden"], Shaped[Array, " hidden"]],
        *,
        key: Key[Array, ""] | None = None,
    ) -> tuple[Float[Array, " hidden"], Float[Array, " hidden"]]:
        """One step. Matrices with read noise need `key`, a new one for each step."""
        of_input, of_hidden = (None, None) if key is None else jr.split(key)
        h, c = (as_floats(state, "hidden") for state in hidden)
        gates = self.weight_ih(input, key=of_input) + self.weight_hh(h, key=of_hidden)
        i, f, g, o = jnp.split(gates, 4)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        return jax.nn.sigmoid(o) * jnp.tanh(c), c


def _matrices(
    input_size: int, hidden_size: int, gates: int, use_bias: bool, key: Key[Array, ""]
) -> tuple[Linear, Linear]:
    of_input, of_hidden = jr.split(key)
    outputs = gates * hidden_size
    return (
        Linear(input_size, outputs, use_bias=use_bias, key=of_input),
        Linear(hidden_size, outputs, use_bias=False, key=of_hidden),
    )
