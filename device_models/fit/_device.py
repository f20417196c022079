"""Phase-change memory from the curves that were measured."""

from .._cells._pcm import PCM
from .._span import Span
from ..curves._curves import AbstractCurve, Polynomial

ZERO = Polynomial((0.0,))


def pcm(
    *,
    limits: tuple[float, float],
    sources: tuple[str, ...],
    write_noise: AbstractCurve | None = None,
    nu: tuple[AbstractCurve, AbstractCurve] | None = None,
    relative_read_noise: AbstractCurve | None = None,
    t_0: float = 1.0,
    t_read: float = 1e-6,
    span: Span | None = None,
) -> PCM:
    """A `PCM` between `limits` with these curves; what is left out is zero, and its times have no effect."""
    nu_mean, nu_std = nu or (ZERO, ZERO)
    return PCM(
        g_min=limits[0],
        g_max=limits[1],
        write_noise=write_noise or ZERO,
        nu_mean=nu_mean,
        nu_std=nu_std,
        relative_read_noise=relative_read_noise or ZERO,
        t_0=t_0,
        t_read=t_read,
        write_noise_scale=float(write_noise is not None),
        nu_scale=float(nu is not None),
        read_noise_scale=float(relative_read_noise is not None),
        span=span or Span(),
        sources=sources,
    )


def polynomial(coefficients, scale: float = 1.0) -> Polynomial:
    """The polynomial with these coefficients times `scale`."""
    return Polynomial(tuple(float(scale * c) for c in coefficients))
