"""Read noise, drawn on what an array gives out: the law of fresh noise on every cell, for one more product."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jax.ad_checkpoint import checkpoint_name
from jaxtyping import Array, Float, Key

NOISY_READ = "noisy read"  # named for checkpointing: dearer to draw again than to keep


class SharedNoise(eqx.Module):
    """Read noise that all bit lines of a tile get from the same cells.

    **Arguments:**

    - `variance`: As of `AnalogMatrix`, with a column for each slice and column tile.
    - `columns`: Bit lines of one tile.
    """

    variance: Float[Array, "rows lines"]
    columns: int = eqx.field(static=True)

    def on_lines(
        self, power: Float[Array, "n rows"], rows: slice, slices: int, outputs: int, *, key: Key[Array, ""]
    ) -> Float[Array, "n columns"]:
        """One draw for each tile and slice, on all of its bit lines."""
        noise = drawn(power @ self.variance[rows], key=key).reshape(power.shape[0], slices, -1)
        return jnp.repeat(noise, self.columns, axis=2)[..., :outputs].reshape(power.shape[0], -1)


def drawn(variance: Float[Array, "n columns"], *, key: Key[Array, ""]) -> Float[Array, "n columns"]:
    """Normal noise of the given variance."""
    return _noise(variance, jr.normal(key, variance.shape, variance.dtype))


def pairwise(terms: list[Array]) -> list[Array]:
    r"""The parts of $(\sum_k a_k x_k)^2$ that belong to $x_k x_l$ with $k \le l$, for the `terms` $a$."""
    return [a**2 if k == m else 2 * a * b for k, a in enumerate(terms) for m, b in enumerate(terms) if k <= m]


def squares(drive: Float[Array, "n rows"], terms: int) -> Float[Array, "n rows_products"]:
    """What meets the variance of `terms` terms a word line: the products $x_k x_l$, in the order of `pairwise`."""
    if terms == 1:
        return drive**2
    x = drive.reshape(drive.shape[0], -1, terms)
    products = [x[..., k] * x[..., m] for k in range(terms) for m in range(k, terms)]
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
