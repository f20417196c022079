"""What a model takes: every read in every loop counts, outputs stay what they are, gradients are right."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import device_models as dm
import memsim as ms
from helpers import slow

KEY = jr.key(0)
AROUND = ms.energy.Periphery(pulse=20e-9)
DESIGN = ms.Crossbar(
    dm.pcm_joshi2020(), dac=ms.PulseWidthDAC(6, 2.0), adc=ms.ADC(8, 4.0), tile=(8, 8), compensation=None
)
ARRAY = ms.energy.COMPONENTS.index("array")


class Looping(eqx.Module):
    """A layer that is read in all kinds of loops, and a second one that is read once in a branch."""

    first: ms.nn.Linear
    second: ms.nn.Linear
    how: str = eqx.field(static=True)

    def __call__(self, x):
        read = self.first
        if self.how == "scan":
            return jax.lax.scan(lambda h, _: (jnp.tanh(read(h)), None), x, None, 3)[0]
        if self.how == "while":
            return jax.lax.while_loop(lambda s: s[0] < 3, lambda s: (s[0] + 1, jnp.tanh(read(s[1]))), (0, x))[1]
        if self.how == "cond":
            return jax.lax.cond(
                x[0] > 10.0, lambda x: self.second(x), lambda x: jnp.tanh(read(jnp.tanh(read(read(x))))), x
            )
        if self.how == "checkpoint":
            return jax.checkpoint(lambda x: jnp.tanh(read(jnp.tanh(read(read(x))))))(x)
        if self.how == "jit":
            return jax.jit(jax.vmap(read))(jnp.stack([x, 2 * x, 3 * x])).sum(0)
        if self.how == "nested":
            return jax.vmap(lambda x: jax.lax.scan(lambda h, _: (read(h), None), x, None, 3)[0])(x[None])[0]
        return read(jnp.stack([x, x, x]))[0]


@pytest.mark.parametrize("how", ["scan", "while", "cond", "checkpoint", "jit", "nested", "batch"])
def test_every_read_counts_wherever_it_is(how):
    model = Looping(ms.nn.Linear(4, 4, key=KEY), ms.nn.Linear(4, 4, key=KEY), how)
    model = ms.program(eqx.tree_at(lambda m: m.second.weight, model, 0.1 * jnp.eye(4)), DESIGN, key=KEY)
    found = ms.energy.of(model, jnp.full((2, 4), 0.5), key=KEY)
    np.testing.assert_array_equal(found.reads.sel(layer=".first"), [3.0, 3.0])
    np.testing.assert_array_equal(found.reads.sel(layer=".second"), [0.0, 0.0])
    assert float(found.joules.sel(layer=".first", component="array").min()) > 0
    assert float(found.joules.sel(layer=".second").drop_sel(component="leakage").max()) == 0


def test_a_read_that_does_not_reach_the_output_counts():
    class Cut(eqx.Module):
        layer: ms.nn.Linear

        def __call__(self, x):
            return jnp.argmax(jax.lax.stop_gradient(self.layer(self.layer(x))))

    model = ms.program(Cut(ms.nn.Linear(4, 4, key=KEY)), DESIGN, key=KEY)
    assert float(ms.energy.of(model, jnp.ones((1, 4)), key=KEY).reads.sum()) == 2


def spiking():
    keys = jr.split(KEY, 3)
    recurrent = ms.nn.Recurrent(ms.nn.LIF(6), ms.nn.Linear(6, 6, use_bias=False, key=keys[1]))
    return ms.nn.SpikingNetwork([ms.nn.Linear(4, 6, gain=4.0, key=keys[0]), recurrent, ms.nn.Linear(6, 3, key=keys[2])])


def test_a_spiking_network_is_read_by_its_spikes():
    crossbar = ms.Crossbar(dm.Ideal(1e-6, 20e-6), adc=ms.ADC(8), compensation=None, reads=ms.Reads("off", v_read=0.1))
    net = spiking()
    chip = ms.program(net, crossbar, key=KEY)
    x = jnp.asarray(jr.uniform(jr.key(5), (2, 7, 4)) > 0.4, jnp.float32)
    found = ms.energy.of(chip, x, periphery=AROUND)
    _, record = jax.vmap(lambda x: ms.at(chip, 0.0)(x, record="inputs"))(x)
    assert list(found.layer.values[:3]) == [".layers[0]", ".layers[1].synapse", ".layers[2]"]
    for path, inputs in record["inputs"].items():
        (layer,) = [each for name, each in ms.nn.analog_layers(chip).items() if name == path]
        siemens = np.asarray(layer.weight.conductances(0.0), np.float64).sum(axis=(0, 2))
        expected = 0.1**2 * 20e-9 * np.asarray(inputs).sum(axis=1) @ siemens
        np.testing.assert_allclose(found.joules.sel(layer=path, component="array"), expected, rtol=1e-5)
    np.testing.assert_array_equal(found.reads.sel(layer=".layers[1].synapse"), [7.0, 7.0])


@pytest.mark.parametrize(
    "layer, shape",
    [
        (ms.nn.Conv2d(2, 4, 3, key=KEY), (2, 6, 5)),
        (ms.nn.Conv1d(4, 6, 2, groups=2, stride=2, key=KEY), (4, 9)),
        (ms.nn.ConvTranspose1d(2, 3, 3, stride=2, key=KEY), (2, 4)),
    ],
)
def test_a_kernel_is_read_for_each_pixel_by_its_patch(layer, shape):
    design = ms.Crossbar(dm.Ideal(1e-6, 20e-6), dac=ms.DAC(6), adc=ms.ADC(8), compensation=None)
    chip = ms.program(layer, design, key=KEY)
    x = jr.uniform(jr.key(4), (2, *shape), minval=-1.0)
    found = ms.energy.of(chip, x, periphery=AROUND)
    dense = np.asarray(chip.weight.conductances(0.0), np.float64).sum(0)  # (rows, columns)
    expected = []
    for one in x:
        lines = np.asarray(layer.word_lines(one), np.float64)  # (pixels, rows * groups)
        volts = 0.2 * np.round(lines * 31) / 31
        groups = lines.shape[1] // dense.shape[0]
        own = np.split(dense, groups, axis=1)
        by_lane = np.stack([part.sum(axis=1) for part in own], axis=1).reshape(-1)
        expected.append(20e-9 * (volts**2 @ by_lane).sum())
    np.testing.assert_allclose(found.joules.isel(layer=0).sel(component="array"), expected, rtol=1e-5)
    np.testing.assert_array_equal(found.reads.isel(layer=0), 2 * [layer.word_lines(x[0]).shape[0]])


def test_the_outputs_are_those_of_a_plain_call():
    from memsim.energy._joules import arrange, measure, read_key

    model = ms.nn.convert(eqx.nn.MLP(6, 3, 8, 1, key=KEY))
    design = ms.Crossbar(dm.pcm_joshi2020(), dac=ms.DAC(8, 4.0), adc=ms.ADC(8, 4.0), reads=ms.Reads("per_read"))
    chip, xs = ms.program(model, design, key=KEY), jr.normal(jr.key(1), (3, 6))
    arranged = arrange(chip, 10.0, AROUND, KEY)
    found = measure(arranged, AROUND, xs, read_key(KEY))
    keys = jr.split(read_key(KEY), 3)
    moment = ms.at(chip, 10.0, key=jr.split(KEY)[0])
    plain = jax.jit(jax.vmap(lambda x, key: ms.nn.call(moment, x, key=key)))(xs, keys)
    np.testing.assert_array_equal(found.outputs, plain)


@pytest.mark.parametrize("wires", [slow(ms.IdealWires()), ms.ResistiveWires(20.0, 20.0)], ids=["ideal", "resistive"])
def test_its_gradient_is_the_slope(wires):
    with jax.enable_x64(True):
        design = ms.Crossbar(
            dm.Ideal(1e-6, 20e-6), dac=ms.DAC(None), adc=ms.ADC(8, 4.0), wires=wires, compensation=None, tile=(4, 4)
        )
        layer, x = ms.nn.Linear(5, 3, key=KEY), jr.uniform(jr.key(1), (2, 5), jnp.float64, minval=-1.0)
        layer = jax.tree.map(lambda leaf: leaf.astype(jnp.float64) if eqx.is_array(leaf) else leaf, layer)

        def total(w, x, scale):
            made = ms.program(eqx.tree_at(lambda layer: layer.weight, layer, w), design, key=KEY)
            around = ms.energy.Periphery(pulse=scale * 1e-9, v_dd=scale)
            return 1e12 * jnp.sum(ms.energy.joules(made, x, periphery=around)[..., ARRAY])

        arguments = layer.weight, x, jnp.asarray(0.9)
        slopes = jax.grad(total, (0, 1, 2))(*arguments)
        for place, slope in enumerate(slopes):
            direction = jr.normal(jr.key(7 + place), slope.shape, jnp.float64)

            def moved(step, place=place, direction=direction):
                return total(*(a + step * direction if i == place else a for i, a in enumerate(arguments)))

            measured = (moved(1e-5) - moved(-1e-5)) / 2e-5
            np.testing.assert_allclose(jnp.sum(slope * direction), measured, rtol=1e-6)


def test_what_is_not_known_is_refused():
    layer = ms.nn.Linear(4, 3, key=KEY)
    x = jnp.ones((2, 4))
    with pytest.raises(ValueError, match=r"Got none. Write `chip = ms.program\(model, crossbar, key=key\)`"):
        ms.energy.of(ms.deploy(layer, DESIGN, 0.0, key=KEY), x, key=KEY)
    for design, says in (
        (ms.Crossbar(dm.Ideal(), wires=ms.AlphaBetaWires(0.3, 0.3)), "whose voltages are known"),
        (ms.Crossbar(dm.Ideal(), adc=ms.ADC(None)), "must have bits"),
        (ms.Crossbar(dm.Ideal(), adc=ms.ADC(3)), "at least 4|from 4 to 16"),
    ):
        with pytest.raises(ValueError, match=says):
            ms.energy.of(ms.program(layer, design, key=KEY), x, key=KEY)
    with pytest.raises(ValueError, match="Nanometres"):
        ms.energy.Periphery(node=28.0)
    with pytest.raises(ValueError, match="v_read"):
        ms.Reads(v_read=0.0)
