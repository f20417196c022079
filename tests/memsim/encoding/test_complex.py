"""Complex matrices on real crossbars."""

import re

import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import device_models as dm
import memsim as ms
from helpers import slow


def complex_normal(seed, *shape):
    return jr.normal(jr.key(seed), shape, jnp.complex64)


@pytest.mark.parametrize("shape", [(3, 5), slow((5, 3)), slow((1, 1))])
def test_a_real_block_matrix_gives_the_complex_product(shape):
    w, x = complex_normal(0, *shape), complex_normal(1, 4, shape[1])
    matrix = ms.Crossbar(dm.Ideal(), tile=(4, 4)).deploy(ms.encoding.real_block(w), 0.0, key=jr.key(0))
    y = ms.encoding.to_complex(matrix(ms.encoding.to_real(x)))
    np.testing.assert_allclose(y, np.asarray(x, complex) @ np.asarray(w, complex).T, rtol=0, atol=1e-5)


def test_a_complex_vector_comes_back():
    x = complex_normal(0, 2, 7)
    np.testing.assert_array_equal(ms.encoding.to_complex(ms.encoding.to_real(x)), x)


def test_what_is_not_complex_is_refused(unchecked):
    with pytest.raises(ValueError, match=re.escape("Program `real_block(w)` of `memsim.encoding`")):
        ms.Crossbar(dm.Ideal()).program(complex_normal(0, 2, 2), key=jr.key(0))
    with pytest.raises(ValueError, match="as many real as imaginary parts"):
        ms.encoding.to_complex(jnp.ones((2, 3)))
