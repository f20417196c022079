"""What a benchmark asks of `memsim.study`: a function with its arguments, timed in turn with others."""

import jax.numpy as jnp
import pytest

from memsim import study


def test_calls_are_functions_with_their_arguments():
    assert study.together([(jnp.add, jnp.ones(2), 1.0), (jnp.sin, 0.0)], 3).shape == (3, 2)
    assert study.ratio((jnp.add, 1.0, 2.0), (jnp.sin, 0.0), 3) > 0
    assert study.seconds(jnp.sin, 1.0) >= 0


def test_rounds_must_be_whole(unchecked):
    with pytest.raises(ValueError, match="rounds"):
        study.together([(jnp.sin, 0.0)], 0.5)
