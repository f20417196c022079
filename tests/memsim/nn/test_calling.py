"""How a model is called on one sample, and what it gives out."""

import re

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import memsim as ms
from device_models import pcm_joshi2020
from memsim.nn import LI, LIF, Linear, SpikingNetwork, convert
from memsim.nn._calling import call, output_shape, takes

KEY = jr.key(0)
NET = SpikingNetwork([Linear(3, 4, key=KEY), LIF(4), Linear(4, 2, key=KEY), LI(2)])
MLP = eqx.nn.MLP(5, 3, 8, 1, key=KEY)


@pytest.mark.parametrize(
    "model, shape, expected",
    [
        (NET, (20, 3), (20, 2)),
        (MLP, (5,), (3,)),
        (convert(MLP), (5,), (3,)),
        (eqx.nn.Conv2d(1, 2, 3, key=KEY), (1, 8, 8), (2, 6, 6)),
        (eqx.nn.Dropout(0.5), (4,), (4,)),
        (jnp.sum, (4,), ()),
    ],
)
def test_the_output_shape_is_that_of_a_run(model, shape, expected):
    assert output_shape(model, jax.ShapeDtypeStruct(shape, jnp.uint8)) == expected
    assert call(model, jnp.ones(shape), key=KEY).shape == expected


@pytest.mark.parametrize(
    "model, says",
    [
        (NET, "`xs` must be one sequence"),
        (MLP, "`model` must take a sample of shape (2, 9)"),
        (SpikingNetwork, "Got the class SpikingNetwork; make one of it"),
        ({"a": NET}, "Got a dict"),
        (lambda x: (x, x), "must give out one array for a sample. Got tuple"),
    ],
)
def test_a_sample_that_does_not_fit_is_refused(unchecked, model, says):
    with pytest.raises(ValueError, match=re.escape(says)):
        output_shape(model, np.ones((2, 9)))


def test_a_noisy_chip_of_any_model_is_called_with_one_key():
    design = ms.Crossbar(pcm_joshi2020(), compensation=None)
    for model, x in ((NET, jnp.ones((20, 3))), (convert(MLP), jnp.ones(5))):
        chip = ms.deploy(model, design, 0.0, key=KEY)
        first, again, other = (call(chip, x, key=key) for key in (KEY, KEY, jr.key(1)))
        np.testing.assert_array_equal(first, again)
        assert np.any(first != other)
        with pytest.raises(ValueError, match="needs `key=`"):
            call(chip, x)


def test_random_layers_get_a_key_where_the_call_has_room_for_one():
    assert takes(eqx.nn.Dropout(0.5), "key") and takes(lambda x, **settings: x, "key")
    assert takes(lambda x, key=None: x, "key") and not takes(lambda x: x, "key") and not takes(lambda key: key, "key")
    assert takes(lambda x, mask: x, "mask") and not takes(lambda x, **settings: x, "mask")
    dropped = call(eqx.nn.Dropout(0.5), jnp.ones(100), key=KEY)
    assert 20 < np.sum(np.asarray(dropped) == 0) < 80


def test_tokens_stay_whole_numbers_and_bytes_become_floats():
    table = eqx.nn.Embedding(5, 3, key=KEY)
    model = lambda tokens: jax.vmap(table)(tokens)  # noqa: E731
    assert output_shape(model, np.zeros(4, np.int32)) == (4, 3)
    np.testing.assert_array_equal(call(model, jnp.arange(4)), table.weight[:4])
    assert call(lambda x: x, jnp.arange(4, dtype=jnp.uint8)).dtype == jnp.float32
    assert call(lambda x: x, jnp.ones(4, bool)).dtype == jnp.float32


def test_a_model_that_takes_a_mask_gets_it():
    mask = jnp.array([True, True, False])
    pooled = lambda x, *, mask: jnp.sum(x * mask[:, None].astype(x.dtype), 0)  # noqa: E731
    np.testing.assert_array_equal(call(pooled, jnp.ones((3, 2)), mask=mask), [2.0, 2.0])
    np.testing.assert_array_equal(call(lambda x: jnp.sum(x, 0), jnp.ones((3, 2)), mask=mask), [3.0, 3.0])
