"""Graphs of other exporters are read as those exporters mean them, and imported networks are studied."""

from pathlib import Path

import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import memsim as ms
from memsim._cli import load_script, main
from memsim.nir import from_nir, guess, to_nir
from memsim.nn import LIF, Firing, Linear, SpikingNetwork

nir = pytest.importorskip("nir")

DT, INPUTS, SIZE = 1e-3, 5, 8
DATA = Path(__file__).parents[2] / "data" / "nir"
ZERO = Firing(reset="zero")
KEY = jr.key(0)


def lif(**settings):
    return LIF(SIZE, **{"threshold": 0.5, "firing": ZERO} | settings)


def behind(*layers):
    return SpikingNetwork([Linear(INPUTS, SIZE, key=KEY), *layers])


def test_hints_of_the_file_are_compared_and_never_used():
    graph = to_nir(behind(lif()), dt=DT, input_shape=INPUTS, discretisation="exponential")
    assert graph.metadata == {"memsim_dt": DT, "memsim_discretisation": "exponential"}
    with pytest.warns(UserWarning, match='pass discretisation="exponential"'):
        assert from_nir(graph, dt=DT).layers[1].decay == "euler"
    with pytest.warns(UserWarning, match="written for dt=0.001 s. It is read for dt=0.0005 s"):
        assert from_nir(graph, dt=5e-4, discretisation="exponential").layers[1].dt == 5e-4
    with pytest.warns(UserWarning, match="Read as 'nir': its metadata say that memsim wrote it"):
        assert from_nir(graph, dt=DT, dialect="guess").layers[1].decay == "exponential"


DECAY = 0.9


def leaky(tau, r, dtype=np.float32, shape=(3,), names=("0", "1"), kind="LIF", **more):
    parameters = {"tau": tau} if kind == "LIF" else {"tau_mem": tau, "tau_syn": tau}
    parameters |= {"r": r, "v_leak": 0.0, "v_threshold": 1.0} | more
    arrays = {name: np.full(shape, x, dtype) for name, x in parameters.items()}
    nodes = {"input": nir.Input(np.array([2])), "output": nir.Output(np.array([3]))}
    nodes |= {names[0]: nir.Linear(np.ones((3, 2), np.float32)), names[1]: getattr(nir, kind)(**arrays)}
    edges = [("input", names[0]), (names[0], names[1]), (names[1], "output")]
    return nir.NIRGraph(nodes, edges, metadata={}, type_check=False)


# The same neuron, a decay of 0.9 a step of 1 ms, as each exporter writes it, and what is left of a membrane then.
WRITTEN = {
    "snntorch": (leaky(1e-4 / 0.1, 10.0), "unscaled"),
    "norse": (leaky(1e-3 * 1e-3 / 0.1, 1.0, shape=()), "normalised"),
    "sinabs": (leaky(-1 / np.log(0.9), 1.0, shape=()), "normalised"),
    "spikingjelly": (leaky(1e-3 / 0.1, 1.0, np.float64, names=("_0", "_1")), "normalised"),
    "spyx": (leaky(1e-3 / 0.1, 0.9), "unscaled"),
    "jaxpike": (leaky(-1e-3 / np.log(0.9), 1.0), "normalised"),
    "hxtorch": (leaky(1.0 / 0.1, 1.0, kind="CubaLIF"), "normalised"),
    "rockpool": (leaky(-1e-3 / np.log(0.9), -0.9 / np.log(0.9), kind="CubaLIF"), "unscaled"),
}


@pytest.mark.parametrize("dialect", WRITTEN)
def test_each_dialect_means_the_same_decay_and_is_guessed(dialect):
    graph, scale = WRITTEN[dialect]
    neuron = from_nir(graph, dt=DT, dialect=dialect).layers[1]
    membrane = neuron.coefficients().membrane
    np.testing.assert_allclose(membrane.decay, 0.9, rtol=1e-5)
    gain = 1.0 if membrane.gain is None else membrane.gain
    np.testing.assert_allclose(gain, 1.0 if scale == "unscaled" else 0.1, rtol=1e-4)
    found = guess(graph, dt=DT)
    assert found.name == dialect and found.reasons[0].endswith(".")


def test_a_firing_of_the_readers_own_goes_before_that_of_the_dialect():
    graph, _ = WRITTEN["snntorch"]
    assert from_nir(graph, dt=DT, dialect="snntorch").layers[1].firing.reset == "subtract"
    chosen = Firing(reset="zero", surrogate=ms.nn.Arctan())
    assert from_nir(graph, dt=DT, dialect="snntorch", firing=chosen).layers[1].firing == chosen


def test_single_values_take_the_shape_of_what_enters_and_a_batch_axis_is_dropped():
    graph = leaky(0.01, 1.0, shape=())
    graph.nodes["input"] = nir.Input(np.array([1, 2]))
    graph.nodes["output"] = nir.Output(np.array([1, 3]))
    network = from_nir(graph, dt=DT)
    assert network.layers[1].shape == (3,) and network(jnp.ones((4, 2))).shape == (4, 3)


@pytest.fixture
def digits_file(tmp_path):
    model = SpikingNetwork([Linear(13, 10, key=KEY), LIF(10, threshold=2.0, firing=ZERO)])
    nir.write(tmp_path / "digits.nir", to_nir(model, dt=DT, input_shape=13))
    return tmp_path / "digits.nir", model


@pytest.mark.slow
def test_the_drift_study_takes_an_imported_network_as_it_is(digits_file, tmp_path, capsys):
    file, model = digits_file
    drift, figure = load_script("experiments", "drift"), load_script("figures", "drift")
    out = tmp_path / "drift"
    result = drift.run(drift.Config(quick=True, write_noise=(1.0,), model=file, out=out))
    assert result.training.values.tolist() == ["imported"]
    assert result.accuracy.shape == (1, 1, 1, 2, 3, 2)
    test = ms.data.spoken_digits(steps=20).test.take(np.arange(200))
    expected = ms.train.accuracy(model, jnp.asarray(test.inputs), jnp.asarray(test.labels))
    assert float(result.digital_accuracy.squeeze()) == pytest.approx(float(expected), abs=1e-6)
    stored = ms.study.open_result(out / "drift.nc")
    assert str(file) in stored.config and "model_sha256" in stored.config
    assert (out / "drift.csv").read_text().count("imported") == 4
    assert "imported" in capsys.readouterr().out
    figure.draw(out / "drift.nc", tmp_path / "drawn")
    assert (tmp_path / "drawn.pdf").is_file()


@pytest.mark.parametrize(
    "options, message",
    [
        ({"model": DATA / "lif_norse.nir"}, "must take 13 inputs"),
        ({"model": Path("nowhere.nir")}, "must be there"),
    ],
)
def test_the_drift_study_refuses_a_network_that_does_not_fit(options, message, capsys, tmp_path):
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    assert main(["run", "drift", "--quick", "--out", str(tmp_path), *words]) == 2
    assert message in capsys.readouterr().err


def test_a_network_that_is_not_trained_has_one_seed(digits_file):
    with pytest.raises(ValueError, match="`seeds` must be 1"):
        load_script("experiments", "drift").Config(model=digits_file[0], seeds=2)
