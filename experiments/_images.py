"""The networks of the study of images, plain Equinox."""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Key

import memsim as ms

CLASSES, SIDE, PATCH, HEADS = 10, 28, 7, 4


class LeNet5(eqx.Module):
    """Two convolutions and three dense layers, tanh between them."""

    convs: list[eqx.nn.Conv2d]
    dense: list[eqx.nn.Linear]
    pool: eqx.nn.MaxPool2d

    def __init__(self, *, key: Key[Array, ""]):
        keys = jr.split(key, 5)
        self.convs = [eqx.nn.Conv2d(1, 6, 5, padding=2, key=keys[0]), eqx.nn.Conv2d(6, 16, 5, key=keys[1])]
        sizes = (400, 120, 84, CLASSES)
        self.dense = [eqx.nn.Linear(*sizes[n : n + 2], key=keys[2 + n]) for n in range(3)]
        self.pool = eqx.nn.MaxPool2d(2, 2)

    def __call__(self, x: Float[Array, "1 28 28"]) -> Float[Array, " classes"]:
        y = x / 255
        for conv in self.convs:
            y = self.pool(jnp.tanh(conv(y)))
        y = y.ravel()
        for layer in self.dense[:-1]:
            y = jnp.tanh(layer(y))
        return self.dense[-1](y)


class Normed(eqx.Module):
    """A convolution without bias, and the batch norm behind it."""

    conv: eqx.nn.Conv2d
    norm: eqx.nn.BatchNorm

    def __init__(self, inputs: int, outputs: int, size: int, *, stride: int = 1, key: Key[Array, ""]):
        self.conv = eqx.nn.Conv2d(inputs, outputs, size, stride, padding=size // 2, use_bias=False, key=key)
        self.norm = eqx.nn.BatchNorm(outputs, "batch", mode="batch", momentum=0.9)

    def __call__(self, x: Array, state: eqx.nn.State) -> tuple[Array, eqx.nn.State]:
        return self.norm(self.conv(x), state)


class Block(eqx.Module):
    """Two convolutions, and what came in added to what they give out."""

    first: Normed
    second: Normed
    shortcut: Normed | None

    def __init__(self, inputs: int, outputs: int, *, stride: int, key: Key[Array, ""]):
        keys = jr.split(key, 3)
        self.first = Normed(inputs, outputs, 3, stride=stride, key=keys[0])
        self.second = Normed(outputs, outputs, 3, key=keys[1])
        self.shortcut = Normed(inputs, outputs, 1, stride=stride, key=keys[2]) if stride > 1 else None

    def __call__(self, x: Array, state: eqx.nn.State) -> tuple[Array, eqx.nn.State]:
        y, state = self.first(x, state)
        y, state = self.second(jax.nn.relu(y), state)
        if self.shortcut is not None:
            x, state = self.shortcut(x, state)
        return jax.nn.relu(x + y), state


class ResNet8(eqx.Module):
    """The residual network of MLPerf Tiny for one channel: a convolution, three blocks and a dense layer."""

    first: Normed
    blocks: list[Block]
    last: eqx.nn.Linear

    def __init__(self, width: int, *, key: Key[Array, ""]):
        keys, widths = jr.split(key, 5), (width, width, 2 * width, 4 * width)
        self.first = Normed(1, width, 3, key=keys[0])
        self.blocks = [Block(*widths[n : n + 2], stride=1 + (n > 0), key=keys[1 + n]) for n in range(3)]
        self.last = eqx.nn.Linear(4 * width, CLASSES, key=keys[4])

    def __call__(self, x: Float[Array, "1 28 28"], state: eqx.nn.State) -> tuple[Array, eqx.nn.State]:
        y, state = self.first(x / 255, state)
        y = jax.nn.relu(y)
        for block in self.blocks:
            y, state = block(y, state)
        return self.last(jnp.mean(y, (1, 2))), state


class Encoder(eqx.Module):
    """Attention and two dense layers, each behind a norm and beside a shortcut."""

    norms: list[eqx.nn.LayerNorm]
    attention: eqx.nn.MultiheadAttention
    dense: list[eqx.nn.Linear]

    def __init__(self, size: int, *, key: Key[Array, ""]):
        keys = jr.split(key, 3)
        self.norms = [eqx.nn.LayerNorm(size) for _ in range(2)]
        self.attention = eqx.nn.MultiheadAttention(HEADS, size, key=keys[0])
        self.dense = [eqx.nn.Linear(size, 2 * size, key=keys[1]), eqx.nn.Linear(2 * size, size, key=keys[2])]

    def __call__(self, tokens: Float[Array, "tokens size"]) -> Float[Array, "tokens size"]:
        y = jax.vmap(self.norms[0])(tokens)
        tokens = tokens + self.attention(y, y, y)
        y = jax.nn.gelu(jax.vmap(self.dense[0])(jax.vmap(self.norms[1])(tokens)))
        return tokens + jax.vmap(self.dense[1])(y)


class VisionTransformer(eqx.Module):
    """Sixteen patches of 7 x 7 pixels, two encoders, and the mean over patches."""

    patches: eqx.nn.Conv2d
    places: Float[Array, "tokens size"]
    encoders: list[Encoder]
    norm: eqx.nn.LayerNorm
    last: eqx.nn.Linear

    def __init__(self, size: int = 48, *, key: Key[Array, ""]):
        keys = jr.split(key, 5)
        self.patches = eqx.nn.Conv2d(1, size, PATCH, PATCH, key=keys[0])
        self.places = 0.02 * jr.normal(keys[1], ((SIDE // PATCH) ** 2, size))
        self.encoders = [Encoder(size, key=keys[2]), Encoder(size, key=keys[3])]
        self.norm = eqx.nn.LayerNorm(size)
        self.last = eqx.nn.Linear(size, CLASSES, key=keys[4])

    def __call__(self, x: Float[Array, "1 28 28"]) -> Float[Array, " classes"]:
        tokens = self.patches(x / 255).reshape(len(self.places.T), -1).T + self.places
        for encoder in self.encoders:
            tokens = encoder(tokens)
        return self.last(self.norm(jnp.mean(tokens, 0)))


class RowLSTM(eqx.Module):
    """A long short-term memory that reads an image row by row."""

    cell: eqx.nn.LSTMCell
    last: eqx.nn.Linear

    def __init__(self, hidden: int = 64, *, key: Key[Array, ""]):
        keys = jr.split(key)
        self.cell = eqx.nn.LSTMCell(SIDE, hidden, key=keys[0])
        self.last = eqx.nn.Linear(hidden, CLASSES, key=keys[1])

    def __call__(self, x: Float[Array, "1 28 28"]) -> Float[Array, " classes"]:
        start = jnp.zeros(self.cell.hidden_size), jnp.zeros(self.cell.hidden_size)
        (hidden, _), _ = jax.lax.scan(lambda state, row: (self.cell(row, state), None), start, x[0] / 255)
        return self.last(hidden)


NETWORKS = ("LeNet-5", "ResNet-8", "vision transformer", "LSTM")


def network(name: str, width: int, *, key: Key[Array, ""]) -> Callable:
    """A network of `NETWORKS` for chips, untrained; `width` is that of the residual one."""
    match name:
        case "LeNet-5":
            made = LeNet5(key=key)
        case "ResNet-8":
            model, state = eqx.nn.make_with_state(ResNet8)(width, key=key)
            return ms.nn.Stateful(ms.nn.convert(model), state)
        case "vision transformer":
            made = VisionTransformer(key=key)
        case _:
            made = RowLSTM(key=key)
    return ms.nn.convert(made)
