"""Read noise, drawn on what an array gives out: the law of fresh noise on every cell, for a few more products."""

import dataclasses
import math
from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jax.ad_checkpoint import checkpoint_name
from jaxtyping import Array, Float, Key

from device_models._draws import normal, scattered
from device_models._held import held

from .._checks import is_known, is_zero

SHARED = 1  # folded into the key of a tile's noise, so that other draws leave it as it is
NOISY_READ = "noisy read"  # named for checkpointing: dearer to draw again than to keep


Product = Callable[[Array, Array], Array]  # of what the word lines of a tile carry with a matrix of its rows


class Crossed(eqx.Module):
    r"""What inputs of several word lines add to a variance together, $\sum_k (x M_k)^2 - (x L_k)^2$.

    Behind wires with resistance the voltage of a cell depends on all inputs.

    **Arguments:**

    - `more`, `less`: $M$ and $L$.
    """

    more: Float[Array, "terms *slices rows lines"]
    less: Float[Array, "terms *slices rows lines"]

    def variance(self, drives: list[Float[Array, "n rows"]]) -> Float[Array, "n lines"]:
        """That of several `drives` together."""
        total = jnp.zeros((drives[0].shape[0], self.more.shape[2]), self.more.dtype)
        for drive in drives:
            for sign, factors in ((1, self.more), (-1, self.less)):
                total = total + sign * jnp.sum(jnp.matmul(drive[None], factors) ** 2, axis=0)
        return total


class SharedNoise(eqx.Module):
    """Read noise that all bit lines of a tile get from the same cells.

    **Arguments:**

    - `variance`: As of `ReadNoise`, with a column for each slice and column tile.
    - `columns`: Bit lines of one tile.
    - `crossed`: Of the same lines, or `None`.
    """

    variance: Float[Array, "rows lines"]
    columns: int = eqx.field(static=True)
    crossed: Crossed | None = None

    def on_lines(
        self, felt: "Felt", slices: int, outputs: int, product: Product, *, key: Key[Array, ""]
    ) -> Float[Array, "n columns"]:
        """One draw for each tile and slice, on all of its bit lines."""
        noise = drawn(felt.variance(self.variance, self.crossed, product), key=key)
        return self.repeated(noise.reshape(noise.shape[0], slices, -1), outputs).reshape(noise.shape[0], -1)

    def repeated(
        self, values: Float[Array, "*batch slices column_tiles"], outputs: int
    ) -> Float[Array, "*batch slices outputs"]:
        """What each column tile has, for all of its bit lines."""
        return jnp.repeat(values, self.columns, axis=-1)[..., :outputs]


class ReadNoise(eqx.Module):
    """What is drawn for each read of an `AnalogMatrix`, in the units of its weight.

    **Arguments:**

    - `variance`: Of each cell, or of each product of two terms of a word line's drive.
    - `crossed`: What several inputs together add to it behind wires with resistance, or `None`.
    - `shared`: Noise that bit lines have in common, or `None`.
    - `white`: Whether it is white within a read.
    """

    variance: Float[Array, "rows_products columns"]
    crossed: Crossed | None = None
    shared: SharedNoise | None = None
    white: bool = eqx.field(static=True, default=False)

    def on(
        self, current: Float[Array, "n columns"], felt: "Felt", slices: int, product: Product, *, key: Key[Array, ""]
    ) -> Float[Array, "n columns"]:
        """The `current` of one row tile, whose noise this is, with what is drawn of it."""
        noise = drawn(felt.variance(self.variance, self.crossed, product), key=key)
        if self.shared is not None:
            outputs = current.shape[1] // slices
            noise = noise - self.shared.on_lines(felt, slices, outputs, product, key=jr.fold_in(key, SHARED))
        return checkpoint_name(current + noise, NOISY_READ)

    @property
    def alone(self) -> bool:
        """Whether each cell adds what it would without the others."""
        return self.crossed is None and (self.shared is None or self.shared.crossed is None)

    def ramped(self, strength: Float[Array, ""]) -> "ReadNoise":
        """Noise of a share of this size."""
        size, size2 = (lambda a: a * strength), (lambda a: a * strength**2)
        shared = self.shared
        if shared is not None:
            shared = SharedNoise(size2(shared.variance), shared.columns, jax.tree.map(size, shared.crossed))
        return ReadNoise(size2(self.variance), jax.tree.map(size, self.crossed), shared, self.white)

    def of_each_line(self, slices: int, outputs: int) -> "ReadNoise":
        """With noise of its own for every bit line, at the same variance, from cells that they share."""
        if self.shared is None:
            return self
        variance, crossed = self.variance + self._on_lines(self.shared.variance, slices, outputs), self.crossed
        if crossed is not None and self.shared.crossed is not None:
            of_shared = (self.shared.crossed.more, self.shared.crossed.less)
            more, less = (self._on_lines(a, slices, outputs) for a in of_shared)
            crossed = Crossed(jnp.concatenate([crossed.more, more]), jnp.concatenate([crossed.less, less]))
        return dataclasses.replace(self, variance=variance, crossed=crossed, shared=None)

    def _on_lines(
        self, shared: Float[Array, "*batch rows lines"], slices: int, outputs: int
    ) -> Float[Array, "*batch rows columns"]:
        assert self.shared is not None
        by_slice = shared.reshape(*shared.shape[:-1], slices, -1)
        return self.shared.repeated(by_slice, outputs).reshape(*shared.shape[:-1], -1)


class Felt(eqx.Module):
    """What cells feel of the pulses on their word lines: `power` meets variances, `drives` meet what is `Crossed`."""

    power: Float[Array, "n rows_products"]
    drives: list[Float[Array, "n rows"]]

    def variance(
        self, own: Float[Array, "rows_products lines"], crossed: Crossed | None, product: Product
    ) -> Float[Array, "n lines"]:
        """The variance of each line of a tile."""
        variance = product(self.power, own)
        if crossed is not None:
            variance = variance + crossed.variance(self.drives)
        signed = crossed is not None or self.power.shape[1] != self.drives[0].shape[1]
        return jnp.maximum(variance, 0.0) if signed else variance  # rounding may leave a sum with signs below zero


def apart(
    g: Float[Array, "*cells"], std: Float[Array, "*cells"], share: float | Float[Array, ""], *, key: Key[Array, ""]
) -> tuple[Float[Array, "*cells"], Float[Array, "*cells"] | None]:
    """Conductances `g` with that `share` of their noise's variance which stands still, and the `std` of the rest."""
    if is_zero(share):
        return g, std
    moved = _moved(g, jnp.sqrt(jnp.asarray(share, g.dtype)) * std, key)
    moving = jnp.sqrt(1 - jnp.asarray(share, g.dtype)) * std
    return moved, None if is_known(share) and share == 1.0 else moving


def felt_slowly(pulses: Float[Array, "n rows"], terms: int) -> Felt:
    """By noise that stands still during a read: its effect is in proportion to the pulse."""
    return Felt(squares(pulses, terms), [pulses])


def felt_in_spikes(pulses: Float[Array, "n rows"], terms: int) -> Felt:
    """By white noise, of inputs as so many spikes: the variances of full spikes add up, the rest is one of its height.

    Of several word lines, numbers of spikes are taken to overlap as much as they can.
    """
    full = jnp.maximum(jnp.ceil(jnp.abs(pulses)) - 1, 0.0)
    power = full + (jnp.abs(pulses) - full) ** 2
    drive = jnp.sign(pulses) * jnp.sqrt(jnp.where(power > 0, power, 1.0))
    return Felt(_with_squares(pulses, power, terms), [drive])


def felt_in_time(pulses: Float[Array, "n rows"], terms: int, longest: int) -> Felt:
    r"""By white noise, of pulses that last `|pulses|` units of time from a common start: variances grow with the time.

    The `longest` pulse feels what it does of slow noise. Two pulses $a, b$ overlap for $\min(a, b)$, which is written
    as $a b + \frac{2}{\pi^2} \sin \pi a \sin \pi b$ in units of the longest, within 0.4 % on average.
    """
    wave = math.sqrt(2) / math.pi * longest * jnp.sin(math.pi / longest * pulses)
    return Felt(_with_squares(pulses, longest * jnp.abs(pulses), terms), [pulses, wave])


def drawn(variance: Float[Array, "n columns"], *, key: Key[Array, ""]) -> Float[Array, "n columns"]:
    """Normal noise of the given variance."""
    return _noise(variance, normal(key, variance.shape, variance.dtype))


def pairwise(terms: list[Array]) -> list[Array]:
    r"""The parts of $(\sum_k a_k x_k)^2$ that belong to $x_k x_l$ with $k \le l$, for the `terms` $a$."""
    return [a**2 if k == m else 2 * a * b for k, a in enumerate(terms) for m, b in enumerate(terms) if k <= m]


def squares(drive: Float[Array, "n rows"], terms: int) -> Float[Array, "n rows_products"]:
    """What meets the variance of `terms` terms a word line: the products $x_k x_l$, in the order of `pairwise`."""
    return _with_squares(drive, drive**2, terms)


def _with_squares(
    drive: Float[Array, "n rows"], power: Float[Array, "n rows"], terms: int
) -> Float[Array, "n rows_products"]:
    """The products of `squares` with `power` in the place of each square."""
    if terms == 1:
        return power
    x, own = (a.reshape(a.shape[0], -1, terms) for a in (drive, power))
    products = [own[..., k] if k == m else x[..., k] * x[..., m] for k in range(terms) for m in range(k, terms)]
    return jnp.stack(products, axis=-1).reshape(drive.shape[0], -1)


@jax.custom_jvp
def _noise(variance: Float[Array, "n columns"], draw: Float[Array, "n columns"]) -> Float[Array, "n columns"]:
    """A normal `draw` of the given variance; its gradient at zero variance (a silent input) is zero, not infinite."""
    return checkpoint_name(jnp.sqrt(variance) * draw, NOISY_READ)


@_noise.defjvp
def _noise_jvp(primals, tangents):
    # From the noise itself, not from the draw: a backward pass that has kept the noise need not draw again.
    noise = _noise(*primals)
    variance = primals[0]
    slope = jnp.where(variance > 0, noise / (2 * jnp.where(variance > 0, variance, 1.0)), 0.0)
    return noise, slope * tangents[0]


@eqx.filter_custom_jvp
def _moved(g: Array, std: Array, key: Array) -> Array:
    """Conductances that noise of this `std` has moved: made once for all that is read of them."""
    return held(_move, g, std, key)


@_moved.def_jvp
def _moved_jvp(primals, tangents):
    return eqx.filter_jvp(_move, primals, tangents)  # whose draws are kept


def _move(g: Float[Array, "*cells"], std: Float[Array, "*cells"], key: Key[Array, ""]) -> Float[Array, "*cells"]:
    return jnp.maximum(g + scattered(std, key), 0.0)
