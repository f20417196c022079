"""Which inputs to read next: those of which most is expected."""

from typing import Any, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, Key

from .._array import Crossbar
from .._checks import check_key, checked, whole, write
from ._arrays import Circuits
from ._circuit import Circuit
from ._infer import DESIGN
from ._known import Known
from ._network import Ohms
from ._questions import FLOOR, Question, full_input, inputs_of, question

How = Literal["expected", "random", "one-hot"]
STARTS = 4


@checked(
    design=DESIGN,
    number=whole(1),
    known=write("Such as `Known(targets=w)`."),
    how=write('"expected", "random" or "one-hot".'),
)
def choose(
    design: Crossbar | Circuit,
    number: int,
    known: Known | None = None,
    *,
    after: Any = None,
    how: How = "expected",
    key: Key[Array, ""],
) -> Float[Array, "number inputs"]:
    r"""The next inputs to read of an array.

    "expected" takes one after the other the input of which the largest information on the cells of an average bit line
    is expected, $\frac12 \ln(1 + x^\top C x)$ with the covariance $C$ of its cells after all inputs before, in units of
    the noise (Bayesian D-optimal; with linear reads it depends on inputs alone, so all can be chosen at once). The
    largest lies in a corner, all terminals at plus or minus full input, which is found by turning signs; of bit lines
    with a power of two of word lines, read for the first time, the corners are orthogonal and need no search. "random"
    are corners by chance, "one-hot" one terminal after the other at full input.

    Of a `Circuit` that is driven at all terminals, word lines and bit lines are driven together: every read then tells
    of cells by word lines and by bit lines, and half as many reads do. A cell has up to twice `v_read` across it.

    **Arguments:**

    - `number`: Of inputs.
    - `after`: Inputs that were read already, shape (reads, inputs), or what they told (`Found`).

    >>> import device_models as dm, jax, memsim as ms
    >>> circuit = ms.identify.Circuit(dm.Ideal(1e-6, 5e-5), 4, 4)
    >>> ms.identify.choose(circuit, 3, key=jax.random.key(0)).shape
    (3, 4)
    """
    check_key(key)
    known = Known() if known is None else known
    with jax.enable_x64(True):
        asked = question(design, known)
    size = inputs_of(design, known)
    before = np.asarray(getattr(after, "x", after), np.float64) if after is not None else np.zeros((0, size))
    if before.ndim != 2 or before.shape[1] != size:
        raise ValueError(f"`after` must be inputs of shape (reads, {size}). Got {before.shape}.")
    full = full_input(design)
    rng = np.random.default_rng(np.asarray(jr.key_data(key)).ravel().tolist())
    if how == "expected" and not asked.array.whole and not len(before) and size & (size - 1) == 0:
        found = _orthogonal(number, size, rng)
    elif how == "expected":
        with jax.enable_x64(True), jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
            told = _told(design, asked)
        found = _corners(number, told, before / full, rng, orthogonal=not asked.array.whole)
    elif how == "random":
        found = rng.choice([-1.0, 1.0], (number, size))
    else:
        found = np.eye(size)[(np.arange(number) + len(before)) % size]
    return jnp.asarray(full * found, jnp.result_type(float))


def _orthogonal(number: int, size: int, rng: np.random.Generator) -> np.ndarray:
    """All corners tell as much at first, and orthogonal ones most together: none needs to be searched for."""
    blocks = -(-number // size)
    found = hadamard(size)[rng.permutation(size)] * rng.choice([-1.0, 1.0], (blocks, 1, size))
    return found.reshape(-1, size)[:number]


def _told(design: Crossbar | Circuit, asked: Question) -> np.ndarray:
    """What a full input of each terminal tells of a cell, in units of its prior, squared; on average over its cells."""
    mean, std = (np.asarray(table)[len(table) // 2] for table in (asked.law.mean, asked.law.std))
    own = _own(asked.array, jnp.asarray(mean), jnp.asarray(asked.ohms))
    moves = np.sum((np.asarray(own) * std) ** 2, axis=0) * full_input(design) ** 2
    lines = moves.shape[1]
    noise = asked.noise[-lines:]
    if asked.noise_of_cells is not None:
        noise = noise + full_input(design) ** 2 * np.sum(asked.noise_of_cells, axis=0)
    # Of exact reads no input is better than another but by its rank; the floor is that of `infer`.
    noise = np.maximum(noise, FLOOR**2 * np.maximum(np.sum(moves, axis=0), np.finfo(float).tiny))
    told = moves / noise[None]
    return np.concatenate([told.mean(1), told.mean(0)]) if asked.array.whole else told.mean(1)


@eqx.filter_jit
def _own(array: Circuits, g: Float[Array, "planes rows lines"], ohms: Float[Array, " 4"]) -> Array:
    return array.seen(g, Ohms(*ohms)).own


def _corners(
    number: int, told: np.ndarray, read: np.ndarray, rng: np.random.Generator, *, orthogonal: bool
) -> np.ndarray:
    """Corners of an input. Not `orthogonal` ones are found from chance alone.

    Of a few orthogonal ones word lines and bit lines, of which cells see the difference, are alike two and two.
    """
    size = len(told)
    c = np.linalg.inv(np.diag(1 / np.maximum(told, 1e-12)) + read.T @ read)
    found, flipped = [], hadamard(size) * rng.choice([-1.0, 1.0], size)
    for _ in range(number):
        starts = list(rng.choice([-1.0, 1.0], (STARTS, size)))
        if orthogonal:
            starts.insert(0, flipped[np.argmax(np.sum((flipped @ c) * flipped, axis=1))])
        x = max((_turned(c, start) for start in starts), key=lambda x: x @ c @ x)
        found.append(x)
        cx = c @ x
        c = c - np.outer(cx, cx) / (1 + x @ cx)
    return np.asarray(found)


def hadamard(size: int) -> np.ndarray:
    """Sylvester's corners, of which those of `size` a power of two are orthogonal; others are cut from larger ones."""
    places = np.arange(1 << (size - 1).bit_length())
    return np.where(np.bitwise_count(places[:, None] & places[None, :size]) % 2 == 0, 1.0, -1.0)


def _turned(c: np.ndarray, x: np.ndarray) -> np.ndarray:
    """From the corner `x`, sign by sign, to one at which no single sign raises x c x."""
    x, cx, own = x.copy(), c @ x, np.diagonal(c)
    while True:
        gain = own - x * cx
        place = int(np.argmax(gain))
        if gain[place] <= 1e-12 * own[place]:
            return x
        cx -= 2 * x[place] * c[:, place]
        x[place] = -x[place]
