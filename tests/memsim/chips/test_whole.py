"""Whole numbers of few bits are those of Python, whose integers have no end."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memsim.chips._sums import _whole

RAILS = np.array([0, 1, -1, 2, -2, 3, -3, 2**14, 2**15, -(2**15), 2**16, 2**31 - 1, -(2**31), 2**31 - 2, -(2**31) + 1])


def words(seed, size=4000):
    """Numbers of all magnitudes that 32 bits hold, each rail beside each."""
    rng = np.random.default_rng(seed)
    drawn = rng.integers(-(2**31), 2**31, size) >> rng.integers(0, 31, size)
    return drawn.astype(np.int32)


def pairs(seed):
    """Two columns: each rail with each, and random ones."""
    x, y = (grid.ravel() for grid in np.meshgrid(RAILS, RAILS))
    return [np.concatenate([some, words(seed + n)]).astype(np.int32) for n, some in enumerate((x, y))]


def kept(number, bits):
    """The signed number that the low `bits` bits of a Python integer spell."""
    return (number + 2 ** (bits - 1)) % 2**bits - 2 ** (bits - 1)


@pytest.mark.parametrize("bits", [1, 2, 9, 16, 20, 24, 31, 32])
def test_a_register_wraps_and_saturates_at_its_width(bits):
    x = np.concatenate([RAILS.astype(np.int32), words(0), np.arange(-600, 600, dtype=np.int32)])
    top = 2 ** (bits - 1)
    assert _whole.wrap(jnp.asarray(x), bits).tolist() == [kept(int(n), bits) for n in x]
    assert _whole.saturate(jnp.asarray(x), bits).tolist() == [min(max(int(n), -top), top - 1) for n in x]


@pytest.mark.parametrize("shift", [0, 1, 6, 12, 30])
def test_a_shift_to_zero_has_the_sign_of_what_it_shifts(shift):
    x = np.concatenate([RAILS.astype(np.int32), words(1), np.arange(-600, 600, dtype=np.int32)])
    expected = [(abs(int(n)) >> shift) * (1 if n > 0 else -1) for n in x]
    assert _whole.shift_towards_zero(jnp.asarray(x), shift).tolist() == expected


@pytest.mark.parametrize("nearest", [False, True])
@pytest.mark.parametrize("shift", [1, 6, 12, 15])
def test_a_product_has_64_bits_before_its_shift(shift, nearest):
    x, y = pairs(2)
    half = 2 ** (shift - 1) if nearest else 0
    found = jax.jit(_whole.product_shifted, static_argnums=2, static_argnames="nearest")(x, y, shift, nearest=nearest)
    assert found.tolist() == [kept((int(a) * int(b) + half) >> shift, 32) for a, b in zip(x, y, strict=True)]


def test_a_fraction_of_32_bits_is_rounded_down():
    x, y = pairs(3)
    y = y.astype(np.uint32)
    found = jax.jit(_whole.times_unsigned_fraction)(jnp.asarray(x), jnp.asarray(y))
    assert found.tolist() == [(int(a) * int(b)) >> 32 for a, b in zip(x, y, strict=True)]
