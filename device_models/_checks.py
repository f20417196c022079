"""Checks of numbers that are known before anything is traced."""

from jaxtyping import Array, Float


def check_at_least_zero(name: str, value: float | Float[Array, ""]) -> None:
    """Raises `ValueError` where a number known beforehand is negative or not finite."""
    if isinstance(value, int | float) and not 0 <= value < float("inf"):
        raise ValueError(f"`{name}` must be finite and at least 0. Got {value}.")


def is_zero(value: float | Float[Array, ""]) -> bool:
    """Whether `value` is known beforehand to be zero."""
    return isinstance(value, int | float) and value == 0
