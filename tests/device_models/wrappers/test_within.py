"""A part of a range has the cells of the whole one, and currents in proportion."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import device_models as dm
import memsim as ms

KEY = jr.key(0)
WHOLE = dm.Gaussian(0.0, 25e-6, write_noise=dm.curves.Constant(0.5e-6))


def test_cells_of_a_part_are_those_of_the_whole():
    part = dm.Within(dm.pcm_joshi2020(), low=1e-6, high=12e-6)
    assert (part.g_min, part.g_max, part.span.conductance) == (1e-6, 12e-6, (1e-6, 12e-6))
    target, t = jnp.linspace(1e-6, 12e-6, 50), jnp.asarray(3600.0)
    cells, others = (device.program(target, key=KEY) for device in (part, dm.pcm_joshi2020()))
    assert eqx.tree_equal(cells, others)
    np.testing.assert_array_equal(part.conductance(cells, t), dm.pcm_joshi2020().conductance(others, t))
    np.testing.assert_array_equal(part.read_noise(cells, t), dm.pcm_joshi2020().read_noise(others, t))


def test_errors_of_weights_grow_as_the_range_shrinks():
    """A write error s of the cell that is on, and half of it squared of one at zero, which cannot go below: 3/2 s^2."""
    w = jr.uniform(KEY, (100, 101), minval=-0.5, maxval=0.5).at[:, 0].set(1.0)  # the scale of each bit line
    for high in (25e-6, 5e-6):
        crossbar = ms.Crossbar(dm.Within(WHOLE, high=high), compensation=None, reads=ms.Reads("off"))
        error = np.asarray(crossbar.deploy(w, 0.0, key=KEY).effective_weight - w)
        inside = np.abs(np.asarray(w)) > 5 * 0.5e-6 / high
        rms = 0.5e-6 / high * np.sqrt(1.5)
        np.testing.assert_allclose(np.sqrt(np.mean(error[inside] ** 2)), rms, rtol=4 / np.sqrt(2 * inside.sum()))


def test_a_traced_range_has_a_gradient():
    w = jr.normal(KEY, (4, 3))

    @jax.jit
    def error(high):
        crossbar = ms.Crossbar(dm.Within(WHOLE, high=high), compensation=None, reads=ms.Reads("off"))
        return jnp.mean((crossbar.deploy(w, 0.0, key=KEY).effective_weight - w) ** 2)

    high, step = jnp.asarray(10e-6), 1e-7
    difference = (error(high + step) - error(high - step)) / (2 * step)
    np.testing.assert_allclose(jax.grad(error)(high), difference, rtol=1e-2)


@pytest.mark.parametrize(
    "make, says",
    [
        (lambda: dm.Within(WHOLE, high=30e-6), "within the range of `device`"),
        (lambda: dm.Within(WHOLE, low=20e-6, high=10e-6), "g_min < g_max"),
        (lambda: dm.Within(dm.Levels(WHOLE, 5), high=10e-6), "continuous range"),
        (lambda: dm.Within(WHOLE, high=10.0), "Micro-siemens"),
    ],
)
def test_what_is_no_part_of_a_range_is_refused(make, says):
    with pytest.raises(ValueError, match=says):
        make()
