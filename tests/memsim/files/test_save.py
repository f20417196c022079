"""What is saved is loaded again, bit by bit, and nothing else is."""

import enum
import functools
import json
import re
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
import pytest

import device_models as dm
import memsim as ms
from helpers import slow
from memsim._keeping import StoredKey

KEY = jr.key(0)
DESIGN = ms.Crossbar(dm.pcm_joshi2020(), dac=ms.DAC(8), adc=ms.ADC(8), tile=(4, 4))


class Kind(enum.Enum):
    SLOW = 1
    FAST = 2


class Pair(NamedTuple):
    left: object
    right: object


def doubled(x):
    return 2 * x


class Own(eqx.Module):
    layer: eqx.nn.Linear
    function: object = eqx.field(static=True)
    kind: Kind = eqx.field(static=True, default=Kind.SLOW)
    width: float = 1.0

    def __call__(self, x):
        return self.function(self.layer(x)) * self.width


def linear(seed=0):
    return eqx.nn.Linear(3, 3, key=jr.key(seed))


def network():
    layers = [ms.nn.Linear(3, 4, key=KEY), ms.nn.LIF(4), ms.nn.Linear(4, 2, key=KEY), ms.nn.LI(2)]
    return ms.nn.SpikingNetwork(layers)


def chips():
    return jax.vmap(lambda key: DESIGN.program(jnp.ones((3, 5)), key=key))(jr.split(KEY, 2))


def keyed():
    layer = ms.nn.Linear(3, 2, key=KEY)
    return ms.nn.with_read_keys(ms.deploy(layer, ms.Crossbar(dm.pcm_joshi2020()), 1.0, key=KEY), key=KEY)


THINGS = {
    "mlp": lambda: eqx.nn.MLP(3, 2, 4, 2, activation=jax.nn.gelu, key=KEY),
    "network": network,
    "programmed": lambda: ms.program(network(), DESIGN, key=KEY),
    "moment": lambda: ms.at(ms.program(network(), DESIGN, key=KEY), 10.0, key=KEY),
    "keyed": keyed,
    "chip": lambda: DESIGN.program(jr.normal(KEY, (3, 5)), key=KEY),
    "batch of chips": chips,
    "matrix": lambda: DESIGN.deploy(jr.normal(KEY, (3, 5)), 60.0, key=KEY),
    "crossbar": lambda: ms.recipes.rasch2023(),
    "per layer": lambda: ms.nn.PerLayer({".layers[0]": DESIGN, ".layers[2]": None}),
    "mixed": lambda: ms.nn.MixedSignal(DESIGN, ms.nn.NeuronCircuit({"tau_mem": 0.2})),
    "batch norm": lambda: eqx.nn.make_with_state(eqx.nn.BatchNorm)(3, "batch", mode="batch"),
    "optimiser": lambda: optax.adam(1e-3).init(eqx.filter(network(), eqx.is_array)),
    "keys": lambda: {"typed": jr.split(KEY, 3), "rbg": jr.key(1, impl="rbg"), "stored": StoredKey.of(KEY)},
    "numbers": lambda: [
        1,
        1.0,
        True,
        None,
        float("inf"),
        -0.0,
        1e-45,
        2 + 3j,
        10**30,
        "µ",
        b"\0",
        (1, (2,)),
        slice(1, None),
    ],
    "arrays": lambda: {
        "half": jnp.arange(3, dtype=jnp.bfloat16),
        "eighths": [jnp.arange(3).astype(name) for name in ("float8_e4m3fn", "float8_e5m2", "int4")],
        "weak": (jnp.asarray(1.5), jnp.full((2, 3), 0.5)),
        "doubles": np.arange(3.0),
        "scalar": np.float64(0.1),
        "empty": np.zeros((0, 2), np.int8),
        "columns": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        "text": np.array(["a", "µm"]),
        "turned": np.arange(3.0).astype(">f4"),
        "records": np.array([(1, 2.0)], [("t", "i8"), ("x", "f4")]),
        "types": (np.dtype("int8"), jnp.dtype("bfloat16"), jnp.float32),
    },
    "containers": lambda: {("a", 1): frozenset({1, 2}), ("b", 2): [(), {}, []]},
    "partial": lambda: {"f": functools.partial(jnp.sum, axis=0), "g": jax.tree_util.Partial(jnp.add, jnp.ones(2))},
    "own": lambda: Own(linear(), doubled, Kind.FAST),
    "named tuple": lambda: Pair(linear(), [linear(1)]),
}
OWN = [Own, Kind, Pair, doubled]


def saved(thing, tmp_path, **settings):
    ms.save(tmp_path / "thing.memsim", thing)
    return ms.load(tmp_path / "thing.memsim", **settings)


def same(a, b):
    """Whether two things are of the same classes, settings and bits."""
    leaves, treedef = jax.tree.flatten(a)
    others, other_treedef = jax.tree.flatten(b)
    assert treedef == other_treedef
    for one, other in zip(leaves, others, strict=True):
        assert type(one) is type(other)
        if isinstance(one, jax.Array | np.ndarray | np.generic):
            assert one.dtype == other.dtype and one.shape == other.shape
            assert getattr(one, "weak_type", None) == getattr(other, "weak_type", None)
            if isinstance(one, jax.Array) and jnp.issubdtype(one.dtype, jax.dtypes.prng_key):
                one, other = jr.key_data(one), jr.key_data(other)
            assert np.asarray(one).tobytes() == np.asarray(other).tobytes()
        else:
            assert repr(one) == repr(other)


@pytest.mark.parametrize("name", [slow(name) if name == "batch of chips" else name for name in THINGS])
def test_what_is_loaded_is_what_was_saved(name, tmp_path):
    thing = THINGS[name]()
    same(thing, saved(thing, tmp_path, allow=OWN))


@pytest.mark.parametrize("name", dm.DEVICES)
def test_every_device_is_loaded_as_it_was(name, tmp_path):
    device = dm.DEVICES[name].make()
    same(device, saved(device, tmp_path, kind=dm.AbstractDevice))


def test_the_outputs_of_compiled_code_are_the_same_bits(tmp_path):
    xs, key = jr.normal(KEY, (6, 3)), jr.key(3)
    run = eqx.filter_jit(lambda network, xs: network(xs, key=key))
    before = ms.deploy(network(), DESIGN, 60.0, key=KEY)
    assert np.array_equal(run(before, xs), run(saved(before, tmp_path), xs))


def test_a_chip_ages_as_it_would_have(tmp_path):
    chip = THINGS["chip"]()
    later = saved(chip, tmp_path, kind=ms.Chip)
    same(chip.at(1e4, key=KEY), later.at(1e4, key=KEY))


def test_the_marks_of_a_layer_with_state_stay_apart(tmp_path):
    layer = eqx.nn.BatchNorm(3, "batch", mode="ema")
    again, other = saved([layer, eqx.nn.BatchNorm(3, "batch", mode="ema")], tmp_path)
    marks = [index.marker for norm in (again, other) for index in (norm.ema_first_time_index, norm.ema_state_index)]
    assert len(set(marks)) == 4
    for norm in (layer, again):
        mean, _ = eqx.nn.State(norm).get(norm.ema_state_index)
        assert mean.shape == (3,)


def test_one_file_is_one_string_of_bytes(tmp_path):
    thing = THINGS["programmed"]()
    for name in ("a", "b"):
        ms.save(tmp_path / name, thing)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_what_is_shared_stays_shared(tmp_path):
    layer, weight = linear(), jnp.ones(2)
    found = saved({"first": layer, "again": [layer, layer.weight], "tied": (weight, weight)}, tmp_path)
    assert found["first"] is found["again"][0]
    assert found["again"][1] is found["first"].weight
    assert found["tied"][0] is found["tied"][1]


def test_numpy_and_json_read_the_file(tmp_path):
    layer = linear()
    ms.save(tmp_path / "thing.memsim", [layer])
    with np.load(tmp_path / "thing.memsim", allow_pickle=False) as found:
        np.testing.assert_array_equal(found["0.weight"], layer.weight)
        text = json.loads(found["memsim.json"])
    assert text["thing"]["list"][0]["class"] == "equinox.nn:Linear"  # by its public name, whatever its module
    assert text["thing"]["list"][0]["fields"]["in_features"] == 3


def test_a_device_file_of_device_models_is_read(tmp_path):
    dm.fit.save_device(tmp_path / "device.json", dm.pcm_joshi2020(), provenance={})
    same(ms.load(tmp_path / "device.json"), dm.pcm_joshi2020())


class Moved(eqx.Module):
    layer: eqx.nn.Linear
    bias: object


def test_own_classes_are_found_where_they_are_allowed_only(tmp_path):
    path = tmp_path / "own"
    ms.save(path, Own(linear(), doubled))
    with pytest.raises(ValueError, match=re.escape("`load(path, allow=[Own])`")):
        ms.load(path)
    with pytest.raises(ValueError, match="doubled"):
        ms.load(path, allow=[Own, Kind])
    with pytest.raises(ValueError, match="`allow` must be of classes"):
        ms.load(path, allow=["Own"])


def test_a_class_that_moved_to_another_module_is_found_by_its_name(tmp_path, monkeypatch):
    monkeypatch.setattr(Moved, "__module__", "__main__")
    ms.save(tmp_path / "moved", Moved(linear(), None))
    monkeypatch.undo()
    assert type(ms.load(tmp_path / "moved", allow=[Moved])) is Moved


def test_changed_fields_are_named(tmp_path):
    thing = Own(linear(), doubled)
    ms.save(tmp_path / "own", thing)
    changed = eqx.Module.__class__(
        "Own", (eqx.Module,), {"__annotations__": {"layer": object, "kind": object, "widths": float}}
    )
    changed.__module__, changed.__qualname__ = Own.__module__, "Own"
    with pytest.raises(
        ValueError, match=r"(?s)has function, width, which.*has widths, which the file lacks.*width -> widths"
    ):
        ms.load(tmp_path / "own", allow=[changed, Kind, doubled])
