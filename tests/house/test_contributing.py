"""The parts of one's own that CONTRIBUTING shows work from end to end, and are as small as they can be."""

import functools
import re
import shutil
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
import pytest

import device_models as dm
import memsim as ms
from memsim._keeping import load_file

ROOT = next(folder for folder in Path(__file__).parents if (folder / "CONTRIBUTING.md").exists())
TEXT = (ROOT / "CONTRIBUTING.md").read_text()
SPACES = {"dm": dm, "ms": ms, "nn": ms.nn}
ROWS = re.findall(r"^\| (`[\w.]+\.Abstract.*?) \| ?(.*?) ?\| (.*?) \|$", TEXT, re.MULTILINE)


def shown(name):
    """The class `name` as CONTRIBUTING prints it, and the lines it takes."""
    (code,) = [code for code in re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL) if f"class {name}(" in code]
    space = {}
    exec(compile(code, "CONTRIBUTING.md", "exec"), space)
    lines = code[code.index(f"class {name}(") :].splitlines()
    assert len([line for line in lines if line.strip()]) <= 12
    return space[name]


def test_the_experiment_that_is_shown_runs_in_parts(tmp_path):
    (code,) = [code for code in re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL) if "def run(" in code]
    (tmp_path / "write_noise.py").write_text(code)
    shutil.copy(ROOT / "experiments" / "_frame.py", tmp_path)
    script = load_file("shown_experiment", tmp_path / "write_noise.py")
    result = script.run(script.Config(quick=True, out=tmp_path / "out"))
    assert result.error.dims == ("write_noise", "chip") and result.error.shape == (2, 2)
    assert float(result.error.sel(write_noise=4.0).mean()) > float(result.error.sel(write_noise=1.0).mean()) > 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["write_noise.csv", "write_noise.nc"]


def names(cell):
    return set(re.findall(r"`(\w+)`", cell))


@pytest.mark.parametrize("kinds, has, writes", ROWS, ids=lambda text: text)
def test_the_table_says_what_a_part_of_ones_own_must_have(kinds, has, writes):
    for path in re.findall(r"`([\w.]+)`", kinds):
        top, *rest = path.split(".")
        kind = functools.reduce(getattr, rest, SPACES[top])
        assert kind.__abstractmethods__ | kind.__abstractvars__ == names(has) | names(writes), path


def test_a_cell_of_ones_own_is_deployed_with_drift_compensation():
    device = shown("Leaky")()
    assert (device.sources, device.levels, device.effects, device.read_noise(None, jnp.zeros(()))) == (
        (),
        None,
        (),
        None,
    )
    w = jr.normal(jr.key(0), (8, 32)) / 6
    x = jr.uniform(jr.key(1), (64, 32), minval=-1.0)

    def error(compensation):
        design = ms.Crossbar(dm.StuckCells(device, p_off=1e-3), adc=ms.ADC(10), compensation=compensation)
        matrix = design.deploy(w, 1e6, key=jr.key(2))
        y, exact = matrix(x, key=jr.key(3)), x @ w.T
        return float(jnp.linalg.norm(y - exact) / jnp.linalg.norm(exact))

    assert error(ms.GlobalDriftCompensation()) < 0.15 < 0.4 < error(None)  # 1e6 seconds leave half of the current
    with pytest.raises(ValueError, match="write its property `effects`"):
        dm.Parallel(device, 2).without("drift")


def test_a_neuron_of_ones_own_learns_runs_on_a_chip_and_is_recorded():
    neuron, keys = shown("Decaying"), jr.split(jr.key(0), 3)
    recurrent = ms.nn.Recurrent(neuron(6), ms.nn.Linear(6, 6, gain=0.2, key=keys[1]))
    net = ms.nn.SpikingNetwork([ms.nn.Linear(4, 6, gain=3.0, key=keys[0]), recurrent, ms.nn.Linear(6, 3, key=keys[2])])
    xs, labels = jr.normal(jr.key(1), (5, 20, 4)), jnp.arange(5) % 3
    crossbar = ms.Crossbar(dm.pcm_joshi2020(), adc=ms.ADC(8), compensation=None)

    optimizer = optax.sgd(0.1)
    trainer = ms.train.Trainer(
        optimizer, ms.train.cross_entropy, ms.train.SampledChip(crossbar), 10.0, 5, ramp_steps=1.0
    )
    state = net, optimizer.init(eqx.filter(net, eqx.is_inexact_array)), jnp.zeros((), int)
    (learned, *_), loss = trainer.step(state, (xs, labels), jr.key(2))
    assert np.isfinite(float(loss))
    assert all(float(jnp.abs(a - b).max()) > 0 for a, b in zip(weights(learned), weights(net), strict=True))

    design = ms.nn.MixedSignal(crossbar, ms.nn.NeuronCircuit(noise=0.01))
    chip = eqx.filter_jit(ms.deploy)(learned, design, 3600.0, key=jr.key(3))
    run = eqx.filter_jit(lambda model, x, key: model(x, key=key, record=("spikes", "membranes")))
    for model in (learned, chip):
        ys, found = run(model, xs[0], jr.key(4))
        (spikes,), (membranes,) = found["spikes"].values(), found["membranes"].values()
        assert ys.shape == (20, 3) and spikes.shape == membranes.shape == (20, 6)
        np.testing.assert_array_equal(spikes, membranes > 1.0)
        assert 0 < float(jnp.mean(spikes)) < 1
    assert ".layers[1].neuron" in ms.nn.diagnose(learned, xs).neurons


def weights(model):
    return [layer.weight for layer in ms.nn.analog_layers(model).values()]


class Two(eqx.Module):
    """A state with nothing that says what it is."""

    u: jax.Array
    w: jax.Array


class Unclear(ms.nn.AbstractNeuron):
    size: int = eqx.field(static=True)

    def initial_state(self):
        return Two(jnp.zeros(self.size), jnp.zeros(self.size))

    def update(self, coefficients, current, state, *, key=None):
        return Two(state.u + current, state.w)


class Told(ms.nn.AbstractNeuron):
    size: int = eqx.field(static=True)

    def initial_state(self):
        return Two(jnp.zeros(self.size), jnp.zeros(self.size))

    def update(self, coefficients, current, state, *, key=None):
        return Two(state.u + current, state.w)

    def output(self, coefficients, before, after):
        return after.u


class Readout(ms.nn.AbstractNeuron):
    size: int = eqx.field(static=True)

    def initial_state(self):
        return jnp.zeros(self.size)

    def update(self, coefficients, current, state, *, key=None):
        return state + current


def test_what_a_state_cannot_say_is_asked_for_by_name():
    xs = jnp.ones((3, 2))
    with pytest.raises(ValueError, match="Got Unclear with a Two; write its method `output`"):
        ms.nn.SpikingNetwork([Unclear(2)])(xs)
    with pytest.raises(ValueError, match="Got Told; write its property `spiking`"):
        ms.nn.SpikingNetwork([Told(2)])(xs)
    with pytest.raises(ValueError, match="must be leaky"):
        ms.nn.fluctuation_driven(
            ms.nn.SpikingNetwork([ms.nn.Linear(2, 2, key=jr.key(0)), Readout(2)]), rate=0.1, key=jr.key(1)
        )
    with pytest.raises(ValueError, match="counterpart in NIR"):
        ms.nir.to_nir(ms.nn.SpikingNetwork([Readout(2)]), dt=1e-3, input_shape=2)
    circuit = ms.nn.MixedSignal(None, ms.nn.NeuronCircuit({"tau": 0.1}))
    with pytest.raises(ValueError, match="Got 'tau' for Readout, which has none"):
        ms.deploy(ms.nn.SpikingNetwork([Readout(2)]), circuit, 0.0, key=jr.key(0))


def test_a_state_that_is_one_array_is_a_readout():
    ys, found = ms.nn.SpikingNetwork([Readout(2)])(jnp.ones((3, 2)), record=("spikes", "membranes"))
    np.testing.assert_array_equal(ys, [[1, 1], [2, 2], [3, 3]])
    np.testing.assert_array_equal(found["membranes"][".layers[0]"], ys)
    assert found["spikes"] == {}


class Curved(dm.AbstractDevice):
    """A field may take the place of a default, without a default of its own."""

    iv: dm.iv.AbstractIV
    sources: tuple[str, ...] = eqx.field(static=True)
    g_min: float = 0.0
    g_max: float = 25e-6

    def program(self, target, *, key):
        return target

    def conductance(self, cells, t):
        return cells


def test_a_field_takes_the_place_of_a_default():
    device = Curved(dm.iv.Sinh(2.0), ("a paper",))
    assert device.effects == ("I-V",) and device.sources == ("a paper",)
    with pytest.raises(TypeError, match="iv"):
        Curved()


def test_a_converter_of_ones_own_is_its_codes():
    class Signs(ms.extend.AbstractADC):
        bits: int | None = eqx.field(static=True, default=2)
        full_scale: float = 1.0

        def codes(self, current, tile=0, *, key=None):
            return jnp.sign(current)

    class Whole(ms.extend.AbstractDAC):
        bits: int | None = eqx.field(static=True, default=4)
        input_range: float = 1.0

        def pulses(self, codes):
            return [codes]

    w = jnp.asarray([[1.0, -0.5], [-1.0, 0.25]])
    design = ms.Crossbar(dm.Ideal(), dac=Whole(), adc=Signs(), compensation=None)
    y = design.deploy(w, 0.0, key=jr.key(0))(jnp.asarray([1.0, 0.5]), key=jr.key(1))
    np.testing.assert_array_equal(np.sign(y), [1, -1])
    assert ms.without(design, "DAC").dac == ms.DAC(None, 1.0)


def test_a_pulsed_cell_of_ones_own_finds_its_symmetry_point():
    class Halved(dm.pulsed.AbstractPulsed):
        steps: dm.pulsed.Steps = dm.pulsed.Steps(0.01)
        bounds: dm.pulsed.Bounds = dm.pulsed.Bounds(-1.0, 1.0)

        def step(self, cells, w, up):
            return cells.size(up) * jnp.where(up, 1.0 - w, 1.5 + w)

        def steepness(self):
            return 0.0

    array = dm.pulsed.PulsedArray.fabricate(Halved(), (2, 2), key=jr.key(0))
    np.testing.assert_allclose(array.device.symmetry_point(array.cells), -0.25, atol=0.05)  # 1 - w = 1.5 + w
    assert array.update(jnp.ones(2), jnp.ones(2), 0.1, key=jr.key(1)).shown.mean() > 0
