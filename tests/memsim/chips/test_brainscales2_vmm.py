"""BrainScaleS-2 for networks of continuous values: codes by hand, the half code of its floor, layers in a row."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import memsim as ms
from helpers import slow
from memsim import nn
from memsim.chips._brainscales2._mac import Readout, converting_relu, product

KEYS = jr.split(jr.key(7), 4)
MLP = eqx.nn.MLP(200, 10, 64, 2, key=KEYS[0])
XS = jr.uniform(KEYS[1], (200, 200))
OWN = jax.vmap(MLP)(XS)


def readout(gain, sends=1):
    return Readout(jnp.float32(gain), jnp.float32(sends), jnp.zeros(()))


def test_codes_are_those_of_the_published_examples():
    # 64 rows x 10 x 31 x 0.002 = 39.68: floors to 39, and to -40 with the other sign; 241.9 is clipped.
    weight = jnp.full((1, 64), 31, jnp.int32)
    for sign, code in ((1, 39), (-1, -40)):
        assert int(product(jnp.full((1, 64), 10, jnp.int32), sign * weight, readout(0.002))[0, 0]) == code
    full = product(jnp.full((1, 128), 15, jnp.int32), jnp.full((1, 128), 63, jnp.int32), readout(0.002))
    assert int(full[0, 0]) == 127


def test_blocks_are_clipped_one_by_one_and_then_together():
    weight = jnp.concatenate([jnp.full(128, 63), jnp.full(128, -63), jnp.full(10, 63)]).astype(jnp.int32)[None]
    xs = jnp.concatenate([jnp.full(128, 31), jnp.full(128, 10), jnp.full(10, 31)]).astype(jnp.int32)[None]
    # blocks: 499.9 -> 127; -161.3 -> -128; 39.06 -> 39; together 38
    assert int(product(xs, weight, readout(0.002))[0, 0]) == 127 - 128 + 39


@pytest.mark.parametrize("gain, sends", [(0.0007, 3), (0.0021, 5), (0.002, 1)])
def test_codes_are_those_of_numpy_in_float32_jitted_or_not(gain, sends):
    rng = np.random.default_rng(sends)
    x, w = rng.integers(0, 32, (300, 300)), rng.integers(-63, 64, (40, 300))
    total = np.zeros((300, 40))
    for start in range(0, 300, 128):
        sums = (x[:, start : start + 128] @ w[:, start : start + 128].T).astype(np.float32)
        total += np.clip(np.floor(sums * np.float32(gain) * np.float32(sends)), -128, 127)
    wanted = np.clip(total, -128, 127)
    xs, weight, to = jnp.asarray(x, jnp.int32), jnp.asarray(w, jnp.int32), readout(gain, sends)
    np.testing.assert_array_equal(product(xs, weight, to), wanted)
    np.testing.assert_array_equal(jax.jit(jax.vmap(lambda x: product(x, weight, to)))(xs), wanted)


def test_a_converting_relu_gives_pulses():
    codes = jnp.array([[-128, -1, 0, 3, 4, 124, 127]], jnp.int32)
    np.testing.assert_array_equal(converting_relu(codes, 2), [[0, 0, 0, 0, 1, 31, 31]])


@pytest.mark.slow
@pytest.mark.parametrize("inputs, blocks", [slow(128, 1), (256, 2)])
def test_the_floor_costs_half_a_code_a_block(inputs, blocks):
    # 200 000 reads of nothing with noise of 2 codes: hxtorch's mock gave -0.509 and -0.968, and noise of 2.02 and 2.85.
    number = 200_000
    zero, weight = jnp.zeros((number, inputs), jnp.int32), jnp.ones((1, inputs), jnp.int32)
    noise = 2.0 * jr.normal(KEYS[2], (number, blocks, 1))
    codes = np.asarray(product(zero, weight, readout(0.002), noise))
    error = codes.std() / np.sqrt(number)
    assert abs(codes.mean() + 0.5 * blocks) < 4 * error
    assert abs(codes.std() / np.sqrt(blocks * (4 + 1 / 12)) - 1) < 4 / np.sqrt(2 * number)  # of a floor: 1 / 12


@pytest.mark.parametrize("noise", [slow(0.0), 2.0])
def test_calibration_gives_back_what_floors_take(noise):
    first, last = eqx.nn.Linear(200, 64, key=KEYS[0]), eqx.nn.Linear(64, 10, key=KEYS[1])
    first, last = (
        eqx.tree_at(lambda n: n.weight, n, jnp.abs(n.weight)) for n in (first, last)
    )  # so that errors add up
    net = eqx.nn.Sequential([first, eqx.nn.Lambda(jax.nn.relu), last])
    own = jax.vmap(net)(XS)

    def drift(calibrated):
        placed = ms.chips.BrainScaleS2VMM(noise=noise, calibrated=calibrated).deploy(net, calibration=XS)
        away = np.asarray(placed(XS, key=KEYS[3])[0] - own).mean(axis=1) / float(placed.unit)  # in codes
        return away.mean(), away.std() / np.sqrt(away.size)

    mean, error = drift(True)
    without, _ = drift(False)
    assert without < -1 and abs(mean) < abs(without) / 5 + 3 * error


def test_a_network_does_on_the_chip_nearly_what_it_does_as_floats():
    placed = ms.chips.brainscales2_vmm(noise=0.0).deploy(MLP, calibration=XS)
    found, counts = placed(XS)
    assert np.sqrt(np.mean((found - OWN) ** 2)) < 0.05 * np.std(OWN)
    assert all(each.shape == (200, 3) for each in counts)
    assert int(counts.messages[0, 0]) == int((jnp.round(XS[0] * 31 / XS.max()) > 0).sum())


@pytest.mark.slow
def test_codes_of_the_calibration_do_not_saturate_whatever_the_weights():
    bright = eqx.tree_at(lambda n: n.weight, eqx.nn.Linear(250, 5, key=KEYS[0]), jnp.ones((5, 250)))
    placed = ms.chips.brainscales2_vmm(noise=0.0).deploy(bright, calibration=XS[:, :1] * jnp.ones((1, 250)))
    assert float(placed.parts[0].readout.sends) == 1 and int(placed.parts[0].weight.max()) < 63
    levels = jnp.linspace(0, 1, 9)[:, None] * XS[:, 0].max()
    found, own = placed(levels * jnp.ones((1, 250)))[0], levels * 250
    assert float(jnp.abs(found - own - bright.bias[None]).max()) < 0.03 * float(own.max())


def test_mismatch_is_drawn_at_deployment_and_stays():
    chip = ms.chips.brainscales2_vmm(noise=0.0, mismatch=0.05)
    assert chip.checked.endswith("with assumed mismatch")
    with pytest.raises(ValueError, match="`key` must be given"):
        chip.deploy(MLP, calibration=XS)
    one, other = (chip.deploy(MLP, calibration=XS, key=key)(XS)[0] for key in KEYS[:2])
    again = chip.deploy(MLP, calibration=XS, key=KEYS[0])(XS)[0]
    assert np.array_equal(one, again) and not np.array_equal(one, other)


@pytest.mark.slow
def test_a_convolution_and_a_network_without_neurons_are_taken_too():
    conv = eqx.nn.Sequential(
        [
            eqx.nn.Conv2d(1, 4, 3, key=KEYS[0]),
            eqx.nn.Lambda(jax.nn.relu),
            eqx.nn.Lambda(jnp.ravel),
            eqx.nn.Linear(144, 5, key=KEYS[1]),
        ]
    )
    images = jr.uniform(KEYS[2], (50, 1, 8, 8))
    chip = ms.chips.brainscales2_vmm(noise=0.0)
    found, _ = chip.deploy(conv, calibration=images, input_shape=(1, 8, 8))(images)
    assert np.corrcoef(np.ravel(found), np.ravel(jax.vmap(conv)(images)))[0, 1] > 0.99
    rows = nn.SpikingNetwork([nn.Linear(200, 8, key=KEYS[0]), eqx.nn.Lambda(jax.nn.relu), nn.Linear(8, 3, key=KEYS[1])])
    assert np.corrcoef(np.ravel(chip.deploy(rows, calibration=XS)(XS)[0]), np.ravel(rows(XS)))[0, 1] > 0.99
    assert chip.fits(eqx.nn.MLP(200, 300, 64, 1, key=KEYS[0])).cores == 2 * 1 + 1 * 2


def test_what_is_no_matrix_and_no_relu_is_refused_by_path_with_a_remedy():
    chip = ms.chips.brainscales2_vmm()
    tanh = chip.fits(eqx.nn.MLP(3, 3, 3, 2, activation=jnp.tanh, key=KEYS[0]))
    assert not tanh and "Layer .activation" in str(tanh) and "tanh" in str(tanh)
    spiking = chip.fits(nn.SpikingNetwork([nn.Linear(3, 4, key=KEYS[0]), nn.LIF(4)]))
    assert "LIF, which has a state" in str(spiking) and "brainscales2()" in str(spiking)
    assert "input_shape" in str(chip.fits(eqx.nn.Sequential([eqx.nn.Conv2d(1, 4, 3, key=KEYS[0])])))


def test_wrong_inputs_are_refused():
    chip = ms.chips.brainscales2_vmm()
    with pytest.raises(ValueError, match="`calibration` must be samples"):
        chip.deploy(MLP)
    with pytest.raises(ValueError, match=r"`calibration` must be at least 0 .* Got -"):
        chip.deploy(MLP, calibration=XS - 1)
    placed = chip.deploy(MLP, calibration=XS)
    with pytest.raises(ValueError, match="Write `xs"):
        placed(XS[0], key=KEYS[0])
    with pytest.raises(ValueError, match="whose inputs have no sign"):
        placed(-XS, key=KEYS[0])
    with pytest.raises(ValueError, match="noise needs `key=`"):
        placed(XS)
