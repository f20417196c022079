"""What is asked of an array: its unknowns in units of what is not known of them, and what reads should be by them."""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ._arrays import AbstractArray, Seen
from ._cells import CellLaw
from ._network import Ohms

RESISTANCES = Ohms._fields
SHARED = (*RESISTANCES, "scale", "age")  # unknowns of which there is one for the whole array


class Unknown(eqx.Module):
    """The unknowns, each in standard deviations of the prior from its middle.

    **Arguments:**

    - `cells`: Deviations of the conductances from the mean that the device promises.
    - `gain`, `offset`: Of each bit line's converter.
    - `shared`: Logarithms of `Problem.names`.
    """

    cells: Float[Array, "planes rows lines"]
    gain: Float[Array, " lines"]
    offset: Float[Array, " lines"]
    shared: Float[Array, " shared"]


class Settings(NamedTuple):
    """What the shared unknowns stand for."""

    ohms: Ohms
    scale: Float[Array, ""]
    log_age: Float[Array, ""]


class Problem(eqx.Module):
    """Reads of one array, and what is known before them.

    **Arguments:**

    - `array`: What reads see of the cells.
    - `law`: Of the cells.
    - `ohms`: Median of each resistance.
    - `log_age`: Logarithm of the age, or its median.
    - `spreads`: Standard deviations of the logarithms of `names`.
    - `gain`, `offset`: Standard deviations, of each bit line; zero where they are known.
    - `x`, `y`: Inputs and outputs, these of many chips before they are taken one by one.
    - `level`: What an offset of one is in each read; with `x` that of sums of reads, where reads were `folded`.
    - `weight`: One over the variance of each output; zero where it tells nothing.
    - `names`: Those of `SHARED` that are unknown.
    """

    array: AbstractArray
    law: CellLaw
    ohms: Float[Array, " 4"]
    log_age: Float[Array, ""]
    spreads: Float[Array, " shared"]
    gain: Float[Array, " lines"]
    offset: Float[Array, " lines"]
    x: Float[Array, "reads inputs"]
    level: Float[Array, " reads"]
    y: Float[Array, "*chips reads outputs"]
    weight: Float[Array, "*chips reads outputs"]
    names: tuple[str, ...] = eqx.field(static=True)

    @property
    def start(self) -> Unknown:
        """Everything at the middle of its prior."""
        like = self.law.mean[0]
        lines = jnp.zeros(like.shape[2], like.dtype)
        return Unknown(jnp.zeros_like(like), lines, lines, jnp.zeros(len(self.names), like.dtype))

    def settings(self, shared: Float[Array, " shared"]) -> Settings:
        """The physical values of shared unknowns."""
        logs = dict(zip(self.names, self.spreads * shared, strict=True))
        nothing = jnp.zeros((), self.ohms.dtype)
        factors = jnp.stack([jnp.exp(logs.get(name, nothing)) for name in RESISTANCES])
        scale = jnp.exp(logs.get("scale", nothing))
        return Settings(Ohms(*(self.ohms * factors)), scale, self.log_age + logs.get("age", nothing))

    def conductances(self, u: Unknown) -> Float[Array, "planes rows lines"]:
        """Of the cells, in siemens."""
        log_age = self.settings(u.shared).log_age
        return self.law.means(log_age) + self.law.stds(log_age) * u.cells

    def seen(self, u: Unknown) -> Seen:
        """What reads see of the cells and wires of `u`."""
        return self.array.seen(self.conductances(u), self.settings(u.shared).ohms)

    def reads(self, u: Unknown, seen: Seen) -> Float[Array, "reads outputs"]:
        """What the outputs should be, where `seen` is what reads see of `u`."""
        gain, offset = self.of_outputs(self.gain * u.gain), self.of_outputs(self.offset * u.offset)
        scale = self.settings(u.shared).scale
        return scale * (self.x @ seen.matrix) * (1 + gain)[None] + self.level[:, None] * offset[None]

    def of_outputs(self, values: Float[Array, "*n lines"]) -> Float[Array, "*n outputs"]:
        """What belongs to bit lines, among all outputs."""
        more = self.y.shape[-1] - values.shape[-1]
        return jnp.pad(values, [(0, 0)] * (values.ndim - 1) + [(more, 0)])

    def of_lines(self, values: Float[Array, "*n outputs"]) -> Float[Array, "*n lines"]:
        """What belongs to bit lines, of all outputs."""
        return values[..., values.shape[-1] - self.gain.shape[0] :]


class Usual(NamedTuple):
    """How reads follow a relative gain, and what is shared, for cells at the middle of their law."""

    base: Float[Array, "reads lines"]
    along: Float[Array, "shared reads outputs"]

    @classmethod
    def at(cls, problem: Problem, shared: Float[Array, " shared"]) -> "Usual":
        """With these shared unknowns."""
        found = problem.settings(shared)
        seen = problem.seen(eqx.tree_at(lambda v: v.shared, problem.start, shared))
        base = found.scale * (problem.x @ seen.matrix)
        return cls(problem.of_lines(base), along_shared(problem, found, seen))


def along_shared(problem: Problem, found: Settings, seen: Seen) -> Float[Array, "shared reads outputs"]:
    """Change of the reads by each shared unknown, for the cells of `seen`."""
    base = found.scale * (problem.x @ seen.matrix)
    steps = []
    for place, name in enumerate(problem.names):
        if name == "scale":
            step = base
        elif name == "age":
            _, drift = jax.jvp(problem.law.means, (found.log_age,), (jnp.ones_like(found.log_age),))
            step = found.scale * (problem.x @ problem.array.along(seen, drift))
        else:
            slope = getattr(found.ohms, name) * problem.array.by_ohm(seen, name, found.ohms)
            step = found.scale * (problem.x @ slope)
        steps.append(problem.spreads[place] * step)
    return jnp.stack(steps) if steps else jnp.zeros((0, *base.shape), base.dtype)


class Moves(eqx.Module):
    """How reads follow the unknowns: those of the cells as they are, the others' at the middle of the cells' law.

    Taken at the cells as estimated, what all reads share would take the cells' deviations for its own, and be biased
    by their squares (errors in variables); the mean of the law has no part in them. By Stein's lemma the score is then
    that of the cells' marginal, up to terms of mean zero.
    """

    problem: Problem
    u: Unknown
    seen: Seen
    std: Float[Array, "planes rows lines"]
    factor: Float[Array, " outputs"]
    base: Float[Array, "reads lines"]  # by one of relative gain
    along: Float[Array, "shared reads outputs"]
    true: Float[Array, "shared reads outputs"]  # `along` of the cells as they are

    @classmethod
    def at(cls, problem: Problem, u: Unknown, usual: "Usual | None" = None) -> "Moves":
        """The moves at `u`; `usual` is what is known of the middle of the law with these shared unknowns."""
        found = problem.settings(u.shared)
        usual = Usual.at(problem, u.shared) if usual is None else usual
        gain = problem.of_outputs(problem.gain * u.gain)
        std, factor = problem.law.stds(found.log_age), found.scale * (1 + gain)
        seen = problem.seen(u)
        true = along_shared(problem, found, seen) * (1 + gain)
        return cls(problem, u, seen, std, factor, usual.base, usual.along, true)

    def forward(self, d: Unknown) -> Float[Array, "reads outputs"]:
        """Change of the reads by `d`."""
        p = self.problem
        own = (p.x @ p.array.along(self.seen, self.std * d.cells)) * self.factor[None]
        lines = self.base * (p.gain * d.gain)[None] + p.level[:, None] * (p.offset * d.offset)[None]
        return own + p.of_outputs(lines) + jnp.tensordot(d.shared, self.along, 1)

    def backward(self, r: Float[Array, "reads outputs"]) -> Unknown:
        """The transpose."""
        p = self.problem
        cells = self.std * p.array.back(self.seen, p.x.T @ (r * self.factor[None]))
        lines = p.of_lines(r)
        gain, offset = (
            p.gain * jnp.sum(self.base * lines, 0),
            p.offset * jnp.matmul(p.level, lines, precision="highest"),
        )
        return Unknown(cells, gain, offset, jnp.tensordot(self.along, r, [[1, 2], [0, 1]]))

    @property
    def _own(self) -> Float[Array, "planes rows lines"]:
        """What one standard deviation of each cell is on its own bit line, for one unit across its terminals."""
        return self.seen.own * self.std * self.problem.of_lines(self.factor)[None, None]

    @property
    def shares(self) -> Float[Array, "planes rows lines"]:
        """Of each cell in the variance of its place in all planes, of which reads tell the sum only."""
        squares = self._own**2
        whole = jnp.sum(squares, axis=0, keepdims=True)
        return squares / jnp.where(whole > 0, whole, 1.0)

    def features(self) -> Float[Array, "lines reads unknowns"]:
        """How the reads of each bit line follow its cells, those of a place in all planes as one, gain and offset."""
        p = self.problem
        own = jnp.sqrt(jnp.sum(self._own**2, axis=0)).T
        cells = p.array.across(p.x) * own[:, None]  # (lines, reads, rows)
        gain = (self.base * p.gain[None]).T[..., None]
        offset = (p.offset[:, None] * p.level[None])[..., None]
        return jnp.concatenate([cells, gain, offset], axis=2)
