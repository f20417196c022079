"""At which frequencies a cell's read noise is: what of it stands still while one inference lasts."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from .._checks import Checked, check, checked, positive
from .._checks._quantities import AGES, Number


class OneOverF(Checked):
    r"""A variance spread evenly over the logarithm of the frequency, from one over the age to one over two reads.

    Of its $\ln \frac{t + t_0 + t_\mathrm{read}}{2 t_\mathrm{read}}$ e-folds, an inference of duration $T$ covers
    $\ln \frac{T}{2 t_\mathrm{read}}$: that share of the variance moves while it lasts, and the rest stands still.

    **Arguments:**

    - `t_0`: Age of a cell at $t = 0$, in seconds.
    - `t_read`: Duration of one read, in seconds.

    >>> import jax.numpy as jnp, device_models as dm
    >>> spectrum = dm.noise.OneOverF(t_0=20.0, t_read=250e-9)
    >>> print(f"{spectrum.frozen(jnp.array(0.0), 0.04):.2f}")  # of the variance stands still for 40 ms
    0.36
    """

    t_0: Number
    t_read: Number

    def __check_init__(self):
        check(self, t_0=positive("in seconds"), t_read=positive("in seconds"))

    @checked(t=AGES, duration=positive("in seconds"))
    def frozen(self, t: Float[Array, ""], duration: float) -> Float[Array, ""]:
        """Share of the variance at `t` that stands still for `duration` seconds."""
        folds = jnp.log((t + self.t_0 + self.t_read) / (2 * self.t_read))
        covered = jnp.log(jnp.maximum(duration / (2 * self.t_read), 1.0)).astype(folds.dtype)
        return 1 - jnp.minimum(covered / jnp.maximum(folds, jnp.finfo(folds.dtype).eps), 1.0)
