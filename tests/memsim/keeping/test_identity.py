"""Code, settings and data have one fingerprint in every process, and another one where they compute another thing."""

import functools
import os
import shutil
import subprocess
import sys
import textwrap
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
from memsim._keeping import _identity, fingerprint

ROOT = Path(__file__).parents[3]


def defined(code, name="value"):
    """`name` after `code` has run as a module of a user."""
    space = {"__name__": "a_script_of_a_user", "jnp": jnp, "jax": jax, "eqx": eqx, "functools": functools, "np": np}
    exec(textwrap.dedent(code), space)
    return space[name]


LOSS = """
SCALE = 2.0

def squared(x):
    return SCALE * x**2

class Penalty(eqx.Module):
    rate: float = 0.1

    def __call__(self, x):
        return jnp.sum(x) * self.rate

def made(power, penalty=Penalty()):
    def loss(outputs, label, *, offset=1.0):
        return squared(outputs - label).sum() ** power + penalty(outputs) + offset
    return loss

value = WRAP(made(3))
"""
CHANGES = {
    "constant": ("x**2", "x**3"),
    "operation": ("outputs - label", "outputs + label"),
    "global": ("SCALE = 2.0", "SCALE = 2.5"),
    "closure": ("made(3)", "made(4)"),
    "default": ("offset=1.0", "offset=1.5"),
    "method": ("jnp.sum", "jnp.max"),
    "field": ("rate: float = 0.1", "rate: float = 0.2"),
}
WRAPPED = {
    "plain": "",
    "partial": "(lambda f: functools.partial(f, offset=0.5))",
    "jit": "jax.jit",
    "filter_jit": "eqx.filter_jit",
    "cache": "functools.cache",
    "grad": "jax.grad",
    "custom_jvp": "jax.custom_jvp",
}


@pytest.mark.parametrize("wrap", WRAPPED.values(), ids=WRAPPED)
def test_a_function_is_known_by_all_that_it_computes_with(wrap):
    code = LOSS.replace("WRAP", wrap)
    first, again = (fingerprint(defined(code)) for _ in range(2))
    assert first == again and first.unknown == ()
    commented = code.replace("SCALE = 2.0", "\n# The scale.\nSCALE = 2.0  # of all")
    assert fingerprint(defined(commented)) == first
    found = {first.digest} | {fingerprint(defined(code.replace(*change))).digest for change in CHANGES.values()}
    assert len(found) == 1 + len(CHANGES)


def variants():
    """Values that compute different things."""
    keys = jr.split(jr.key(0), 3)
    recurrent = ms.nn.Recurrent(ms.nn.LIF(4), ms.nn.Linear(4, 4, key=keys[1]))
    layers = [ms.nn.Linear(3, 4, key=keys[0]), recurrent, ms.nn.Linear(4, 2, key=keys[2]), ms.nn.LI(2)]
    net = ms.nn.SpikingNetwork(layers)
    rates = (optax.adam(rate) for rate in (1e-3, 2e-3))
    schedules = (optax.adam(optax.cosine_decay_schedule(1e-3, steps)) for steps in (10, 20))
    insitu = (ms.insitu.analog_sgd(dm.pulsed.ecram_tang2018(), learning_rate=0.1, key=jr.key(n)) for n in (0, 1))
    designs = (ms.Crossbar(dm.pcm_joshi2020(write_noise_scale=s), adc=ms.ADC(8)) for s in (1.0, jnp.asarray(1.0)))
    arrays = (np.zeros(3), np.zeros(3, np.float32), np.zeros((3, 1)), np.zeros(2), np.arange(3.0), [0.0, 0.0, 0.0])
    chained = (optax.chain(optax.clip(1.0), optax.sgd(0.1)), optax.chain(optax.sgd(0.1), optax.clip(1.0)))
    keys = (jr.key(0), jr.key(1), jr.key(0, impl="rbg"), jr.key_data(jr.key(0)))
    losses = (ms.train.cross_entropy, ms.train.max_cross_entropy, functools.partial(ms.train.cross_entropy))
    plain = (0, 0.0, False, None, "0", b"0", (), [], {}, {"a": 1}, {"a": 1, "b": 2}, {1, 2}, float("nan"), jnp, np)
    changed = eqx.tree_at(lambda n: n.layers[0].weight, net, replace_fn=lambda w: w.at[0, 0].add(1e-6))
    several = (*rates, *schedules, *insitu, *designs, *arrays, *chained, *keys, *losses, *plain)
    return [net, changed, *several, jnp.tanh, jax.nn.relu, jax.nn.sigmoid, lambda x: x in {"a", "b", "c"}]


def test_different_values_have_different_fingerprints_and_all_are_looked_into():
    found = [fingerprint(value) for value in variants()]
    assert len({each.digest for each in found}) == len(found)
    assert all(each.unknown == () for each in found)


@pytest.mark.slow
def test_a_fingerprint_is_the_same_in_every_process():
    code = "import sys; sys.path.insert(0, 'tests/memsim/keeping'); import test_identity as t; "
    code += "print(*map(t.fingerprint, t.variants()))"
    runs = [
        subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"PYTHONHASHSEED": seed, "JAX_PLATFORMS": "cpu"},
            capture_output=True,
            text=True,
            cwd=ROOT,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert runs[0] == runs[1] and runs[0].count("Fingerprint") > 40


RATES = {
    "constant": 1e-2,
    "cosine": optax.cosine_decay_schedule(1e-2, 10),
    "exponential": optax.exponential_decay(1e-2, 10, 0.5),
    "polynomial": optax.polynomial_schedule(1e-2, 1e-3, 1, 10),
    "linear": optax.linear_schedule(1e-2, 1e-3, 10),
    "piecewise": optax.piecewise_constant_schedule(1e-2, {5: 0.1}),
    "warm-up": optax.warmup_cosine_decay_schedule(0.0, 1e-2, 3, 10),
    "one cycle": optax.cosine_onecycle_schedule(10, 1e-2),
    "restarts": optax.sgdr_schedule([{"init_value": 0.0, "peak_value": 1e-2, "warmup_steps": 2, "decay_steps": 8}]),
}
OPTIMIZERS = {
    **{name: lambda rate=rate: optax.adam(rate) for name, rate in RATES.items()},
    "chain": lambda: optax.chain(optax.clip_by_global_norm(1.0), optax.adamw(1e-3), optax.scale(2.0)),
    "several steps": lambda: optax.MultiSteps(optax.sgd(1e-2, momentum=0.9), 2).gradient_transformation(),
    "injected": lambda: optax.inject_hyperparams(optax.adam)(learning_rate=1e-3),
    "masked": lambda: optax.masked(optax.sgd(1e-2), {"w": True}),
    "lamb": lambda: optax.lamb(1e-3),
    "average": lambda: optax.ema(0.9),
}


@pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_an_optimizer_that_was_used_is_still_the_same(make):
    optimizer = make()
    before = fingerprint(optimizer)
    weights = {"w": jnp.ones(3)}

    @jax.jit
    def step(weights, state):
        with jax.numpy_dtype_promotion("standard"):
            return optimizer.update(weights, state, weights)

    step(weights, step(weights, optimizer.init(weights))[1])
    assert fingerprint(optimizer) == before and before.unknown == ()


def test_what_cannot_be_looked_into_is_named():
    found = fingerprint({"generator": np.random.default_rng(0), "rate": 0.1})
    assert found.unknown == ("numpy.random._generator.Generator",)
    assert found.digest != fingerprint({"generator": np.random.default_rng(0), "rate": 0.2}).digest


def test_a_value_that_holds_itself_has_a_fingerprint():
    loop = [1.0]
    loop.append(loop)
    other = [2.0]
    other.append(other)
    assert fingerprint(loop) == fingerprint(loop) != fingerprint(other)


# The code of memsim, and of the user.


def test_an_installed_copy_is_the_same_code_and_every_edit_is_another(tmp_path):
    ignore = shutil.ignore_patterns("__pycache__")
    for name in ("memsim", "device_models"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignore)
    (tmp_path / "memsim" / "_bundled" / "experiments").mkdir(parents=True)  # as an install has it
    (tmp_path / "memsim" / "_bundled" / "experiments" / "drift.py").write_text("")
    (tmp_path / "device_models" / "REFERENCES.bib").write_text("")
    copies = tmp_path / "memsim", tmp_path / "device_models"
    assert _identity.hash_of(*copies) == _identity.source_hash()
    seen = {_identity.source_hash()}
    for edit in ("x = 1\n", "x = 2\n"):
        (tmp_path / "device_models" / "iv" / "_iv.py").write_text(edit)
        seen.add(_identity.hash_of(*copies))
    (tmp_path / "memsim" / "data" / "spoken_digits.npz").write_bytes(b"other recordings")
    seen.add(_identity.hash_of(*copies))
    assert len(seen) == 4


def module_from(path, name):
    import importlib.util

    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def test_a_measure_is_known_by_its_file_and_those_of_the_user_that_it_imports(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    helper, script = tmp_path / "helper_of_measure.py", tmp_path / "script.py"
    helper.write_text("def double(x):\n    return 2 * x\n")
    script.write_text(
        "import numpy as np\nfrom helper_of_measure import double\n\ndef measure(x):\n    return double(x)\n"
    )
    measure = module_from(script, "script_of_measure").measure
    first = _identity.code_hash(measure)
    bound = {"lambda": lambda x: measure(x)}  # in this file, so another
    assert _identity.code_hash(functools.partial(measure, 1)) == _identity.code_hash(jax.jit(measure)) == first
    assert _identity.code_hash(bound["lambda"]) != first
    helper.write_text("def double(x):\n    return 2.5 * x\n")
    second = _identity.code_hash(measure)
    script.write_text(script.read_text() + "\n# changed\n")
    assert len({first, second, _identity.code_hash(measure)}) == 3


def test_a_measure_without_a_file_is_known_by_its_code():
    one, again, other = (
        _identity.code_hash(defined(f"def value(x):\n    return {factor} * x\n")) for factor in (2, 2, 3)
    )
    assert one == again != other


def test_a_result_tells_what_computed_it():
    found = ms.study.provenance()
    assert found["source"] == _identity.source_hash() and found["devices"] == str(jax.device_count())
    assert found["x64"] == "False"
    with jax.enable_x64(True):
        assert ms.study.provenance()["x64"] == "True"


def test_parts_of_other_code_precision_or_settings_have_another_folder(tmp_path, monkeypatch):
    def folder(settings):
        return ms.study.parts_folder(str(tmp_path), settings)

    seen = {folder({"chips": 3}), folder({"chips": 3})}
    assert len(seen) == 1
    seen |= {folder({"chips": 4}), folder({"chips": 3.0}), folder({"chips": np.arange(2000)})}
    seen.add(folder({"chips": np.arange(2000) % 1999}))  # as text, numpy writes both with dots
    with jax.enable_x64(True):
        seen.add(folder({"chips": 3}))
    monkeypatch.setattr(_identity, "source_hash", lambda: "of other code")
    seen.add(folder({"chips": 3}))
    assert len(seen) == 7
