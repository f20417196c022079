"""How the cells of an array are written."""

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Int, Key

from .._checks import TIME, Checked, between, check, fraction, plain, whole
from ._matrix import AnalogMatrix
from ._tiles import spread_rows


class Blank(NamedTuple):
    """A fabricated array that is not written yet.

    - `write(relative, key)`: State of all cells after one write towards weights in units of their scale.
    - `read(cells, t, key)`: The matrix that they present `t` seconds after the write.
    - `scales`: Weight of one fully-on cell, shape (row_tiles, columns); tiles have `rows` word lines.
    """

    write: Callable[[Array, Array], Any]
    read: Callable[[Any, Array, Array], AnalogMatrix]
    scales: Float[Array, "row_tiles columns"]
    rows: int


class Written(NamedTuple):
    """State of the cells, and how often each was written; `None` where all were written once."""

    cells: Any
    writes: Int[Array, "1 rows columns"] | None


class AbstractProgramming(Checked):
    """Writes the cells of an array that should present a matrix.

    >>> import memsim as ms
    >>> ms.OneShot().rewrites, ms.GradientDescent().rewrites
    (False, True)
    """

    @property
    @abstractmethod
    def rewrites(self) -> bool:
        """Whether cells are written again, cell by cell."""

    @abstractmethod
    def __call__(self, blank: Blank, w: Float[Array, "rows columns"], *, key: Key[Array, ""]) -> Written:
        """The cells of `blank`, written to present `w`."""


class OneShot(AbstractProgramming):
    """Each cell is written once, towards its target; a device may verify that by itself (`WriteVerify`).

    >>> import jax.numpy as jnp, jax.random as jr, device_models as dm, memsim as ms
    >>> design = ms.Crossbar(dm.pcm_joshi2020(), programming=ms.OneShot())
    >>> matrix = design.deploy(jnp.ones((500, 1)), 0.0, key=jr.key(0))
    >>> print(f"{matrix.effective_weight.std():.2f}")
    0.05
    """

    @property
    def rewrites(self) -> bool:
        return False

    def __call__(self, blank: Blank, w: Float[Array, "rows columns"], *, key: Key[Array, ""]) -> Written:
        return Written(blank.write(w / spread_rows(blank.scales, w.shape[0], blank.rows), key), None)


class GradientDescent(AbstractProgramming):
    r"""Cells are written again until the outputs of the array are right, seen through its own noisy reads.

    After a first write the array is read with random inputs, and a digital estimate $\hat W$ of what it presents
    follows its outputs by gradient descent on their squared error,
    $\hat W \leftarrow \hat W - \eta\, x^\top (x \hat W - y)$. Weights for which $|\hat W - W|$ exceeds `threshold` are
    written again, their targets moved against the estimated error by the share `correction`, so that what repeats, such
    as the voltage that wires lose, is taken out; and so on. No cell is ever read by itself, and converters, wires and
    amplifiers are within the loop.

    After the idea of Buechel2023, whose method applies small incremental pulses in the direction of the gradient. The
    devices here know full writes only, each with fresh noise, so that a weight is written again or left alone: numbers
    of that paper are not reproduced.

    The gradient with respect to the weights is that of the write that each cell ended with.

    **Arguments:**

    - `rounds`: Times that weights are written again.
    - `threshold`: Tolerated error, in units of one fully-on cell.
    - `steps`, `batch`: Steps of the descent in each round, and reads in each step.
    - `correction`: Share of the estimated error by which a target moves, from 0 to 1.
    - `wait`: Age of the cells in each round of reads, in seconds. The loop corrects what has happened until then, and
      nothing of what comes later. Ages count from the last write of each cell (assumed: those that are left alone are
      older).

    >>> import jax.numpy as jnp, jax.random as jr, device_models as dm, memsim as ms
    >>> programming = ms.GradientDescent(rounds=2, threshold=0.05)
    >>> design = ms.Crossbar(dm.pcm_joshi2020(), programming=programming)
    >>> chip = design.program(jnp.eye(8), key=jr.key(0))
    >>> int(chip.writes.min()), int(chip.writes.max())
    (1, 3)
    """

    rounds: int = eqx.field(static=True, converter=plain, default=10)
    threshold: float = 0.03
    steps: int = eqx.field(static=True, converter=plain, default=20)
    batch: int = eqx.field(static=True, converter=plain, default=128)
    correction: float = 0.5
    wait: float = 0.0

    def __check_init__(self):
        check(
            self,
            rounds=whole(1, hint="To write once, use OneShot()."),
            threshold=between(0.0, 1.0, "in units of one fully-on cell"),
            steps=whole(1),
            batch=whole(1),
            correction=fraction(),
            wait=TIME,
        )

    @property
    def rewrites(self) -> bool:
        return True

    def __call__(self, blank: Blank, w: Float[Array, "rows columns"], *, key: Key[Array, ""]) -> Written:
        scales = spread_rows(blank.scales, w.shape[0], blank.rows)
        first_key, rounds_key = jr.split(key)
        relative = w / scales
        cells = blank.write(relative, first_key)

        def one_round(state, key):
            cells, aim, estimate, writes = state
            write_key, moment_key, read_key = jr.split(key, 3)
            estimate = self._followed(blank.read(cells, jnp.asarray(self.wait), moment_key), estimate, read_key)
            error = jax.lax.stop_gradient((estimate - w) / scales)
            again = jnp.abs(error) > self.threshold
            aim = jnp.clip(aim - jnp.where(again, self.correction * error, 0.0), -1.0, 1.0)
            fresh = blank.write(aim, write_key)
            cells = jax.tree.map(lambda new, old: jnp.where(again[None], new, old), fresh, cells)
            return (cells, aim, jnp.where(again, w, estimate), writes + again.astype(int)), None

        start = cells, relative, jax.lax.stop_gradient(w), jnp.ones(w.shape, int)
        (cells, _, _, writes), _ = jax.lax.scan(one_round, start, jr.split(rounds_key, self.rounds))
        return Written(cells, writes[None])

    def _followed(self, matrix: AnalogMatrix, estimate: Array, key: Array) -> Array:
        """The estimate after some steps of descent on the outputs of `matrix` for random inputs."""
        rows = estimate.shape[0]
        # Inputs are uniform, of variance a third; beyond this rate the descent diverges.
        rate = 3.0 / (1.0 + rows / self.batch)

        def step(estimate, key):
            input_key, read_key = jr.split(key)
            x = jr.uniform(input_key, (self.batch, rows), estimate.dtype, -1.0, 1.0)
            y = matrix(x * matrix.input_range, key=read_key) / matrix.input_range
            return estimate - rate * x.T @ (x @ estimate - jax.lax.stop_gradient(y)) / self.batch, None

        return jax.lax.scan(step, estimate, jr.split(key, self.steps))[0]
