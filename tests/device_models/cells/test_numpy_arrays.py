"""NumPy's arrays of double precision are taken wherever JAX's are, without a warning, and give the same numbers."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import device_models as dm

pytestmark = pytest.mark.usefixtures("unchecked")  # the annotations say JAX's

G, V, T = np.linspace(60e-6, 90e-6, 4), np.linspace(-0.2, 0.3, 4), np.asarray(3600.0)
RELATIVE, KEY = np.linspace(0.3, 0.9, 4), jr.key(0)
PCM, MILO, WAN = dm.pcm_joshi2020(), dm.rram_milo2021(), dm.rram_wan2022()
CURVES = (dm.curves.Table((0.0, 1.0), (1.0, 2.0)), dm.curves.Proportional(1e-6), dm.curves.Polynomial((1.0, 2.0)))
HISTORIES = (
    dm.ageing.LogGrowth(dm.curves.Constant(1.0), 1e-6),
    dm.ageing.LogTime(1.0, 0.1),
    dm.ageing.Snapshots((1.0, 86400.0), (*CURVES[2:], dm.curves.Polynomial((2.0, 3.0))), "log"),
)
CELLS = PCM.program(jnp.full(4, 1e-5), key=KEY)


def calls():
    """A function of arrays and its arguments, for each kind that is one in `device_models`."""
    for curve in CURVES:
        yield curve, (RELATIVE,)
    for history in HISTORIES:
        yield history, (RELATIVE, T)
    yield MILO.iv.conductance, (G, V)
    yield MILO.current, (G, V)
    yield dm.memristors.vteam_kvatinsky2015().current, (np.full(4, 1e-9), V)
    yield dm.noise.Flicker(1.0, 1e3).correlation, (np.array([1e-4, 1e-3]),)
    yield lambda target: PCM.program(target, key=KEY), (0.2 * G,)
    yield lambda target: WAN.program(target, key=KEY), (0.2 * G,)
    yield lambda t: PCM.conductance(CELLS, t), (T,)
    yield lambda t: PCM.read_noise(CELLS, t), (T,)
    yield lambda x, d: dm.pulsed.coincidences(x, d, 0.1, key=KEY), (RELATIVE, RELATIVE[:2])


@pytest.mark.slow
def test_numpy_arrays_give_what_those_of_jax_give():
    for call, arguments in calls():
        found = jax.tree.leaves(call(*arguments))
        wanted = jax.tree.leaves(call(*map(jnp.asarray, arguments)))
        for one, other in zip(found, wanted, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-12)


def test_what_is_known_stays_known_while_something_else_is_traced():
    """A voltage beyond Milo's range is refused within a traced function, too."""
    with pytest.raises(ValueError, match=r"within the fitted range of 0\.5 V"):
        jax.jit(lambda g: MILO.current(g, np.full(4, 0.6)))(jnp.asarray(G))
