"""The factors of a gradient add up to the gradient, wherever the reads of a matrix can be listed."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import memsim as ms
from memsim.insitu import OuterProduct, value_and_outer

XS = 3.0 * jr.normal(jr.key(3), (5, 7, 3))  # (batch, steps, inputs)


def network(*layers):
    keys = iter(jr.split(jr.key(0), 9))
    made = [layer(next(keys)) if callable(layer) and not isinstance(layer, eqx.Module) else layer for layer in layers]
    return ms.nn.SpikingNetwork(made)


def linear(inputs, outputs, **settings):
    return lambda key: ms.nn.Linear(inputs, outputs, key=key, **settings)


def loss(model, xs):
    return jnp.mean(jax.vmap(model)(xs) ** 2)


def agree(model, loss=loss, xs=XS):
    """The gradient with factors, after a check of it against the ordinary one."""
    value, found = eqx.filter_jit(value_and_outer(loss))(model, xs)
    expected_value, expected = eqx.filter_jit(eqx.filter_value_and_grad(loss))(model, xs)
    np.testing.assert_allclose(value, expected_value, rtol=1e-6)

    def same(factors, dense):
        dense_found = factors.dense if isinstance(factors, OuterProduct) else factors
        np.testing.assert_allclose(dense_found, dense, rtol=1e-4, atol=1e-5 * float(jnp.abs(dense).max()))

    jax.tree.map(same, found, expected, is_leaf=lambda leaf: isinstance(leaf, OuterProduct))
    return found


def test_reads_over_batch_and_time_add_up_to_the_gradient_of_a_spiking_network():
    found = agree(network(linear(3, 4), ms.nn.LIF(4), linear(4, 2), ms.nn.LI(2)))
    for layer, shape in ((found.layers[0], (3, 4)), (found.layers[2], (4, 2))):
        assert (layer.weight.inputs.shape, layer.weight.errors.shape) == ((35, shape[0]), (35, shape[1]))
        assert layer.weight.reads == 35
    rows = {tuple(row) for row in np.asarray(found.layers[0].weight.inputs).round(5)}
    assert rows == {tuple(row) for row in np.asarray(XS.reshape(35, 3)).round(5)}


def test_a_model_of_plain_arrays_has_factors_of_each_matrix():
    def of_arrays(weights, xs):
        hidden = jnp.tanh(xs @ weights["first"].T)  # (batch, steps, hidden)
        return jnp.mean((weights["second"] @ hidden[0].T) ** 2) + jnp.sum(weights["bias"] ** 2)

    weights = {"first": jr.normal(jr.key(1), (4, 3)), "second": jr.normal(jr.key(2), (2, 4)), "bias": jnp.ones(2)}
    found = agree(weights, of_arrays)
    assert (found["first"].reads, found["second"].reads) == (35, 7)
    assert found["bias"].shape == (2,)


def test_a_layer_of_equinox_has_factors():
    layer = eqx.nn.Linear(3, 4, key=jr.key(0))
    found = agree(layer, lambda layer, xs: jnp.mean(jax.vmap(jax.vmap(layer))(xs) ** 2))
    assert found.weight.reads == 35


def test_all_reads_of_a_matrix_that_is_used_twice_are_listed():
    layer = ms.nn.Linear(3, 3, key=jr.key(0))
    found = agree(layer, lambda layer, xs: jnp.mean(layer(jnp.tanh(layer(xs))) ** 2))
    assert found.weight.reads == 70


def test_reads_within_a_compiled_function_are_listed():
    inner = jax.jit(lambda weight, x: jnp.tanh(x @ weight.T))
    found = agree(jnp.ones((2, 3)) / 3, lambda weight, xs: jnp.mean(inner(weight, xs) ** 2))
    assert found.reads == 35


def test_factors_of_many_models_at_once_are_those_of_each():
    keys = jr.split(jr.key(5), 2)

    def factors(key):
        return value_and_outer(loss)(network(linear(3, 2), ms.nn.LI(2)), XS + jr.normal(key, XS.shape))[1]

    both = jax.jit(jax.vmap(factors))(keys).layers[0].weight
    one = jax.jit(factors)(keys[1]).layers[0].weight
    np.testing.assert_allclose(both.errors[1], one.errors, rtol=1e-5)


@pytest.mark.parametrize(
    "model, closed",
    [
        (
            network(linear(3, 4), lambda key: ms.nn.Recurrent(ms.nn.LIF(4), ms.nn.Linear(4, 4, key=key)), linear(4, 2)),
            lambda model: model.layers[1].synapse.weight,
        ),
        (network(linear(3, 4, product="bfloat16"), linear(4, 2)), lambda model: model.layers[0].weight),
    ],
    ids=["within a scan", "another product"],
)
def test_a_matrix_whose_reads_cannot_be_listed_has_an_ordinary_gradient_beside_factors_of_others(model, closed):
    xs = jnp.round(XS)  # which bfloat16 holds exactly
    found = agree(model, xs=xs)
    assert not isinstance(closed(found), OuterProduct)
    assert isinstance(found.layers[-1].weight, OuterProduct)


def test_a_network_in_chunks_has_ordinary_gradients():
    model = ms.nn.SpikingNetwork([ms.nn.Linear(3, 2, key=jr.key(0)), ms.nn.LI(2)], chunk=3)
    assert not isinstance(agree(model).layers[0].weight, OuterProduct)


def test_a_convolution_has_an_ordinary_gradient():
    layer = ms.nn.Conv1d(3, 2, 3, key=jr.key(0))
    found = agree(layer, lambda layer, xs: jnp.mean(jax.vmap(layer)(xs.transpose(0, 2, 1)) ** 2))
    assert found.weight.shape == layer.weight.shape


def test_a_matrix_with_a_penalty_or_summed_over_its_outputs_has_an_ordinary_gradient():
    weight = jr.normal(jr.key(1), (3, 3))
    penalised = agree(weight, lambda weight, xs: jnp.mean((xs @ weight.T) ** 2) + jnp.sum(weight**2))
    backwards = agree(weight, lambda weight, xs: jnp.mean((xs @ weight) ** 2))
    assert penalised.shape == backwards.shape == (3, 3)


def test_a_matrix_that_is_not_used_has_a_zero_gradient():
    found = agree([jnp.ones((2, 3)), jnp.ones((4, 4))], lambda weights, xs: jnp.mean((xs @ weights[0].T) ** 2))
    np.testing.assert_array_equal(found[1], jnp.zeros((4, 4)))


def test_what_the_loss_returns_beside_its_value_is_passed_on():
    weight = jnp.ones((2, 3))
    (value, aux), found = value_and_outer(lambda w, xs: (jnp.sum(xs @ w.T), {"last": xs[-1]}), has_aux=True)(weight, XS)
    np.testing.assert_allclose(value, 2 * jnp.sum(XS), rtol=1e-5)
    np.testing.assert_array_equal(aux["last"], XS[-1])
    assert isinstance(found, OuterProduct)


def test_a_loss_without_a_gradient_is_told():
    with pytest.raises(ValueError, match="must be a scalar of floating point"):
        value_and_outer(lambda w, xs: xs @ w.T)(jnp.ones((2, 3)), XS)
    with pytest.raises(ValueError, match="must return a pair"):
        value_and_outer(lambda w, xs: jnp.sum(xs @ w.T), has_aux=True)(jnp.ones((2, 3)), XS)
