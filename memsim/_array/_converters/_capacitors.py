"""Binary-weighted capacitors with mismatch: the ruler of a SAR and of a ramp converter."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key

from device_models._draws import normal

from ..._checks import at_least

MISMATCH = at_least(0.0, "relative", most=1.0, hint="Percent? Divide by 100.")


def nominal_weights(bits: int) -> Float[np.ndarray, " magnitude_bits"]:
    """Codes of each capacitor of a signed converter, the smallest first; the sign bit is a comparison with zero."""
    return 2.0 ** np.arange(bits - 1)


def drawn_weights(
    shape: tuple[int, ...], bits: int, mismatch: float, *, key: Key[Array, ""]
) -> Float[Array, "*shape magnitude_bits"]:
    r"""Codes of each capacitor of arrays as fabricated.

    Capacitor $k$ is $2^k + 2^{k/2} s\,\xi$ unit capacitors, the law of $2^k$ units that each deviate by $s$. There is
    one unit more to terminate the array, and a code is a fixed fraction of the total charge.

    Reference: Spear2023.
    """
    nominal = np.append(nominal_weights(bits), 1.0)
    drawn = normal(key, (*shape, bits))
    units = jnp.broadcast_to(jnp.asarray(nominal, drawn.dtype), drawn.shape)
    units = units + mismatch * jnp.sqrt(units) * drawn
    return (units / jnp.sum(units, -1, keepdims=True))[..., :-1] * nominal.sum().item()
