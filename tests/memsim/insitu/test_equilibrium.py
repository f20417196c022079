"""Circuits of memristors settle by Kirchhoff's laws, and their local rules are the gradients of what they settle to."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from scipy.optimize import minimize

import device_models as dm
import memsim as ms
from helpers import quick_and_slow
from memsim.insitu._newton import eliminated

MODELS = (
    "mms_molter2016",
    "hp_strukov2008",
    "vteam_kvatinsky2015",
    "yakopcic2011",
    "michigan_chang2011",
    "stanford_jiang2016",
)


def circuit(name):
    """Of three inputs, four hidden nodes and two classes, in the middle of the range of states."""
    cells = dm.memristors.memristor(name).make()
    low, high = cells.bounds
    states = tuple(
        low + (high - low) * jr.uniform(jr.key(k), shape, minval=0.2, maxval=0.8)
        for k, shape in enumerate([(8, 4), (4, 4)])
    )
    g = float(jnp.mean(cells.current(states[0], jnp.full((8, 4), 0.01)))) / 0.01
    network = ms.insitu.ResistiveNetwork(cells, clamp=0.05, diode=0.05 * g, gain=3.0)
    return network, states, g


X, TARGET = np.array([0.3, -0.2, 0.1]), np.array([0.1, -0.1])


def test_a_circuit_settles_at_the_least_co_content():
    with jax.enable_x64(True):
        network, states, g = circuit("hp_strukov2008")
        beta = 0.1 * g
        phases = [
            network.settle(states, jnp.asarray(X), nudge)
            for nudge in (None, ms.insitu.Nudge(jnp.asarray(TARGET), jnp.asarray(beta)))
        ]
        first, second = (1 / np.asarray(network.cells.r_on * s + network.cells.r_off * (1 - s)) for s in states)
    rails = np.concatenate([X, -X, [0.2, -0.2]])

    def energy(v, beta):
        """Of ohmic cells, over g; the nudge adds beta times the cost."""
        hidden, outputs = v[:4], v[4:]
        total = 0.5 * np.sum(first * (rails[:, None] - hidden) ** 2)
        total += 0.05 * g * 0.05**2 * np.sum(np.cosh(hidden / 0.05))
        total += 0.5 * np.sum(second * (3 * hidden[:, None] - outputs) ** 2) / 9
        return (total + beta * 0.5 * np.sum((outputs[:2] - outputs[2:] - TARGET) ** 2)) / g

    for phase, pull in zip(phases, (0.0, beta), strict=True):
        found = minimize(energy, np.zeros(8), args=(pull,), tol=1e-14, options={"maxiter": 2000})
        np.testing.assert_allclose(np.concatenate(phase), found.x, atol=1e-5)


@pytest.mark.parametrize("name", quick_and_slow(MODELS[-1:], MODELS))
def test_the_exact_gradient_is_that_of_differences_and_the_local_rule_becomes_it(name):
    with jax.enable_x64(True):
        network, states, g = circuit(name)
        x, target = jnp.asarray(X), jnp.asarray(TARGET)
        low, high = network.cells.bounds
        size = 1e-4 * float(high - low)

        @jax.jit
        def cost(second):
            outputs = network.settle((states[0], second), x).outputs
            return 0.5 * jnp.sum((ms.insitu.classes(outputs) - target) ** 2)

        exact = ms.insitu.exact_gradient(network, states, x, target)
        step = np.zeros((4, 4))
        step[2, 1] = size
        difference = (cost(states[1] + step) - cost(states[1] - step)) / (2 * size)
        np.testing.assert_allclose(exact[1][2, 1], difference, rtol=1e-4)

        settings = {"beta": 1e-6 * g, "rule": "co-content"}
        local = ms.insitu.equilibrium_gradient(network, states, x, target, **settings)
        for ours, theirs in zip(local, exact, strict=True):
            np.testing.assert_allclose(ours, theirs, atol=1e-4 * float(np.abs(theirs).max()))


@pytest.mark.slow
@pytest.mark.parametrize("name, is_ohmic", [("mms_molter2016", True), ("stanford_jiang2016", False)])
def test_the_rule_of_squares_is_exact_for_ohmic_cells_only(name, is_ohmic):
    with jax.enable_x64(True):
        network, states, g = circuit(name)
        x, target = 2 * jnp.asarray(X), jnp.asarray(TARGET)
        exact = ms.insitu.exact_gradient(network, states, x, target)[0]
        local = ms.insitu.equilibrium_gradient(network, states, x, target, beta=1e-6 * g)[0]
    off = np.abs(local - exact).max() / np.abs(exact).max()
    assert (off < 1e-4) == is_ohmic and (off > 0.01) != is_ohmic


def test_a_pulse_moves_a_cell_in_the_middle_by_what_is_asked_for_and_others_as_their_model_says():
    cells = (
        dm.memristors.hp_strukov2008()
    )  # dx/dt is in proportion to x (1 - x) / R(x) under Joglekar's window of p = 1
    states, change = jnp.array([0.5, 0.5, 0.2, 0.9]), jnp.array([1e-3, -1e-3, 1e-3, 0.0])
    moved = np.asarray(ms.insitu.pulse_states(cells, states, change, voltage=1.0) - states, float)
    np.testing.assert_allclose(moved[:2], [1e-3, -1e-3], rtol=0.01)

    def speed(x):
        return x * (1 - x) / (100.0 * x + 16e3 * (1 - x))

    np.testing.assert_allclose(moved[2], 1e-3 * speed(0.2) / speed(0.5), rtol=0.01)
    assert moved[3] == 0
    ended = ms.insitu.pulse_states(cells, states, jnp.full(4, 1.0), voltage=1.0)
    assert (np.asarray(ended) <= 1).all() and (np.asarray(ended) > np.asarray(states)).all()


def test_targets_and_layers_that_do_not_fit_are_refused_rather_than_broadcast(unchecked):
    network, states, g = circuit("mms_molter2016")
    x, target = jnp.asarray(X, jnp.float32), jnp.asarray(TARGET, jnp.float32)
    for gradient in (ms.insitu.exact_gradient, lambda *a: ms.insitu.equilibrium_gradient(*a, beta=g)):
        with pytest.raises(ValueError, match="`target` must be a voltage for each of 2 classes"):
            gradient(network, states, x, target[:1])
        for wrong in ((states[0][:6], states[1]), (states[0], states[1][:3]), (states[0], states[1][:, :3])):
            with pytest.raises(ValueError, match="`states` must be of shapes"):
                gradient(network, wrong, x, target)


def test_states_that_no_cell_has_are_refused():
    network, states, _ = circuit("mms_molter2016")
    high = float(network.cells.bounds[1])
    with pytest.raises(ValueError, match="`states` must be within those of the cells"):
        network.settle((states[0], states[1] + 2 * high), jnp.asarray(X, jnp.float32))


def test_elimination_solves_what_lapack_solves_side_by_side_too():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(300, 9, 9)), rng.normal(size=(300, 9))
    a = a @ a.swapaxes(1, 2) + 0.1 * np.eye(9)
    with jax.enable_x64(True):
        found = jax.jit(jax.vmap(eliminated))(jnp.asarray(a), jnp.asarray(b))
    np.testing.assert_allclose(found, np.linalg.solve(a, b[..., None])[..., 0], rtol=1e-8, atol=1e-10)


def test_hundreds_of_circuits_settle_at_once_as_each_does_alone():
    network, states, _ = circuit("mms_molter2016")
    xs = 0.3 * jr.normal(jr.key(3), (300, 3))
    many = jax.jit(jax.vmap(lambda x: network.settle(states, x)))(xs)
    alone = network.settle(states, xs[7])
    np.testing.assert_allclose(many.outputs[7], alone.outputs, rtol=1e-4, atol=1e-7)
    assert np.isfinite(np.asarray(many.hidden)).all()


def test_a_start_that_is_near_leads_to_the_same_voltages():
    network, states, g = circuit("mms_molter2016")
    x, nudge = jnp.asarray(X, jnp.float32), ms.insitu.Nudge(jnp.asarray(TARGET, jnp.float32), jnp.asarray(0.1 * g))
    free = network.settle(states, x)
    for found, plain in zip(
        network.settle(states, x, nudge, start=free), network.settle(states, x, nudge), strict=True
    ):
        np.testing.assert_allclose(found, plain, rtol=1e-4, atol=1e-7)


def test_inputs_on_one_rail_each_are_those_of_a_pair_where_they_are_given_with_both_signs():
    network, states, _ = circuit("mms_molter2016")
    x = jnp.asarray(X, jnp.float32)
    single = replace(network, paired=False).settle(states, jnp.concatenate([x, -x]))
    np.testing.assert_allclose(single.outputs, network.settle(states, x).outputs, rtol=1e-6)
