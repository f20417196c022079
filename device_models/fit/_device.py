"""Phase-change memory from the curves that were measured."""

from collections.abc import Mapping

from .._cells._pcm import PCM
from .._span import Span
from ..curves._curves import AbstractCurve, Polynomial
from ._result import Estimate, sources_of

ZERO = Polynomial((0.0,))


def pcm(
    *,
    g_min: float,
    g_max: float,
    parameters: Mapping[str, Estimate],
    data: str,
    write_noise: AbstractCurve | None = None,
    nu: tuple[AbstractCurve, AbstractCurve] | None = None,
    relative_read_noise: AbstractCurve | None = None,
    t_0: float = 1.0,
    t_read: float = 1e-6,
    span: Span | None = None,
) -> PCM:
    """A `PCM` with these curves; what is left out was not measured, is zero, and its times have no effect."""
    nu_mean, nu_std = nu or (ZERO, ZERO)
    return PCM(
        g_min=g_min,
        g_max=g_max,
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
        sources=sources_of(parameters, data),
    )


def polynomial(coefficients, scale: float = 1.0) -> Polynomial:
    """The polynomial with these coefficients times `scale`."""
    return Polynomial(tuple(float(scale * c) for c in coefficients))
