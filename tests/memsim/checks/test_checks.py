"""The one place of checks: values are judged by what they are, whatever they are written as."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jaxtyping import Array, Float, Key

import device_models as dm
import memsim as ms
from memsim._checks import Checked, at_least, check, check_finite_model, checked, fraction, positive, that, whole, write

pytestmark = pytest.mark.usefixtures("unchecked")


class Sensor(Checked):
    gain: float | Float[Array, ""] = 1.0
    offset: float = 0.0
    bits: int | None = eqx.field(static=True, default=8)
    lines: tuple[int, int] = eqx.field(static=True, default=(4, 4))
    reset: Literal["zero", "none"] = eqx.field(static=True, default="zero")
    cell: dm.AbstractDevice = dm.Ideal()
    share: float = 0.5
    curve: Float[Array, " points"] | None = None
    mode: Literal["a", "b", "c"] = eqx.field(static=True, default="a")
    state: Any = None

    def __check_init__(self):
        check(
            self,
            gain=positive("in volts", most=5.0, hint="Millivolts? Multiply by 1e-3."),
            bits=whole(2, most=24),
            lines=whole(1),
            cell=write("Such as `dm.Ideal()`."),
            share=fraction(one=False),
        )


@pytest.mark.parametrize("bad", [-1.0, 0.0, np.nan, np.inf, 7.0])
@pytest.mark.parametrize(
    "kind", [float, np.float32, np.float64, np.asarray, jnp.asarray], ids=lambda kind: kind.__name__
)
def test_a_number_is_judged_alike_however_it_is_written(kind, bad):
    with pytest.raises(ValueError, match=r"`gain` must be positive and at most 5, in volts. Got gain=.*Millivolts\?"):
        Sensor(gain=kind(bad))
    assert float(Sensor(gain=kind(2.5)).gain) == 2.5


@pytest.mark.filterwarnings("ignore:A JAX array is being set as static")
@pytest.mark.parametrize(
    "field, value, says",
    [
        ("gain", "1", "`gain` must be positive and at most 5, in volts. Got gain='1'."),
        ("gain", None, "Got gain=None."),
        ("gain", True, "Got gain=True."),
        ("gain", [1.0], "Got gain=[1.0]."),
        ("gain", jnp.ones(3), "Got gain=[1. 1. 1.]."),
        ("offset", np.float32("nan"), "`offset` must be a finite number. Got offset=nan."),
        ("offset", np.asarray(1j), "`offset` must be a finite number. Got offset=1j."),
        ("offset", 10**400, "`offset` must be a finite number. Got offset=1000000"),
        ("offset", jnp.ones((9, 9)), "Got offset=an array of shape (9, 9), float32."),
        ("bits", 2.5, "`bits` must be a whole number from 2 to 24, or None. Got bits=2.5."),
        ("bits", 8.0, "Got bits=8.0. Write 8."),
        ("bits", np.int64(1), "Got bits=1."),
        ("bits", jnp.asarray(8), "Got bits=8."),  # static fields must be hashable
        ("lines", 64, "`lines` must be a whole number of at least 1. Got lines=64."),
        ("lines", [64, 64], "Write a tuple: (64, 64)."),
        ("lines", (64, 64, 2), "Got lines=(64, 64, 2)."),
        ("lines", (0, 5), "Got lines=(0, 5)."),
        ("reset", "none ", """`reset` must be "zero" or "none". Got reset='none '."""),
        ("cell", dm.pcm_joshi2020, "Got cell=the function pcm_joshi2020. Call it: `pcm_joshi2020()`. Such as"),
        ("cell", dm.Ideal, "Got cell=the class Ideal. Call it: `Ideal(...)`."),
        ("cell", "Ideal", "`cell` must be an AbstractDevice. Got cell='Ideal'. Such as `dm.Ideal()`."),
        ("share", 30, "`share` must be a fraction in [0, 1). Got share=30. Percent? Divide by 100."),
        ("share", 1.0, "Got share=1.0."),
        ("share", np.float32(1.0), "Got share=1.0."),  # the greatest number below one is one in float32
        ("mode", "up", """`mode` must be "a", "b" or "c". Got mode='up'."""),
        ("curve", [1.0, 2.0], "Write `jnp.asarray(...)` around it."),
        ("curve", jnp.array([1.0, np.nan, 3.0]), "Got curve=1 of 3 that are not, such as nan."),
        ("curve", jnp.ones((2, 2)), "`curve` must be an array of finite floats with axes (points) or None."),
        ("curve", jnp.ones(3, int), "(points) or None. Got curve=[1 1 1]."),
    ],
)
def test_an_error_names_the_field_and_says_what_came_and_what_to_do(field, value, says):
    with pytest.raises(ValueError, match=re.escape(f"`{field}` must be")) as raised:
        Sensor(**{field: value})
    assert says in str(raised.value)


def test_what_is_right_passes():
    Sensor(jnp.asarray(0.1), np.float32(1), None, (1, 2), "none", dm.pcm_joshi2020(), 0.0, jnp.ones(4), "b", {"any": 1})


def test_traced_values_are_judged_by_shape_only():
    assert float(jax.jit(lambda g: Sensor(gain=g).gain)(-1.0)) == -1.0
    with pytest.raises(ValueError, match="`gain` must be"):
        jax.jit(lambda g: Sensor(gain=g).gain)(jnp.ones(2))


def test_a_class_without_rules_of_its_own_is_held_to_its_annotations():
    class Plain(Checked):
        size: int

    with pytest.raises(ValueError, match=r"`size` must be a whole number. Got size=2.5"):
        Plain(2.5)


def test_a_class_with_rules_of_its_own_is_judged_once():
    judged = []

    class Counting(Checked):
        size: float

        def __check_init__(self):
            check(self, size=that("counted", lambda x: judged.append(x) or True))

    Counting(1.0)
    assert len(judged) == 1


@checked(chips=whole(1), times=at_least(0.0, "in seconds"))
def study(
    device: dm.AbstractDevice,
    *,
    chips: int,
    times: Sequence[float],
    key: Key[Array, ""],
    scores: Callable[[Array], Array] = jnp.sum,
    path: Path | str | None = None,
):
    return chips


@pytest.mark.parametrize(
    "change, says",
    [
        ({"chips": 2.5}, "`chips` must be a whole number of at least 1. Got chips=2.5."),
        ({"times": 3600.0}, "`times` must be finite and at least 0, in seconds. Got times=3600.0."),
        ({"times": "1 h"}, "Got times='1 h'."),
        ({"times": [0.0, np.nan]}, "Got times=[0.0, nan]."),
        ({"key": 0}, "`key` must be a key of jax.random. Got key=0. Write `jax.random.key(0)`"),
        ({"key": jax.random.PRNGKey(0)}, "`key` must be a key of jax.random."),
        ({"scores": "sum"}, "`scores` must be a function. Got scores='sum'."),
        ({"path": 3}, "`path` must be a Path, text or None. Got path=3."),
        ({"device": "Ideal"}, "`device` must be an AbstractDevice."),
    ],
)
def test_an_argument_is_judged_by_its_annotation_and_its_rule(change, says):
    right = {"device": dm.Ideal(), "chips": 3, "times": [0.0, 1.0], "key": jax.random.key(0)}
    assert study(**right) == 3
    assert study(**right | {"times": np.array([0.0, 1.0]), "path": "x"}) == 3
    with pytest.raises(ValueError, match=re.escape(says)):
        study(**right | change)


class Counter(Checked):
    """Methods have a `self` that no annotation speaks of, and arguments that may be anything."""

    @checked(t=at_least(0.0, "in seconds"))
    def at(self, state: Any, t: Float[Array, ""]) -> float:
        return float(t)


def test_methods_are_judged_and_a_whole_number_will_do_for_a_float_of_no_axes():
    for t in (3, 3.0, np.float32(3), np.asarray(3), jnp.asarray(3)):
        assert Counter().at("anything", t) == 3.0
    for t in (-3, np.asarray(-3), jnp.asarray(-3), jnp.ones(1), True, "3"):
        with pytest.raises(ValueError, match=r"`t` must be finite and at least 0, in seconds. Got t="):
            Counter().at(None, t)


def test_a_missing_and_an_unknown_argument_are_python_s_own_errors():
    with pytest.raises(TypeError, match=r"study\(\) missing 1 required keyword-only argument: 'key'"):
        study(dm.Ideal(), chips=1, times=[0.0])
    with pytest.raises(TypeError, match="unexpected keyword argument 'chip'"):
        study(dm.Ideal(), chip=1, times=[0.0], key=jax.random.key(0))


def test_one_bad_weight_of_a_model_is_named_by_its_path():
    model = eqx.nn.Linear(3, 2, key=jax.random.key(0))
    check_finite_model(model)
    bad = eqx.tree_at(lambda m: m.weight, model, model.weight.at[1, 2].set(jnp.nan))
    with pytest.raises(
        ValueError, match=r"`model.weight` must be finite. Got 1 NaN or infinite of 6, the first at \[1, 2\]"
    ):
        check_finite_model(bad)
    check_finite_model((model, eqx.nn.MaxPool2d(2)))  # whose maximum starts from minus infinity


def test_numbers_of_numpy_are_those_of_python_in_settings():
    crossbar = ms.Crossbar(dm.Ideal(), tile=(np.int64(64), np.int32(32)), adc=ms.ADC(np.int64(8)))  # no warning
    assert crossbar == ms.Crossbar(dm.Ideal(), tile=(64, 32), adc=ms.ADC(8))
    assert type(crossbar.tile[0]) is type(crossbar.adc.bits) is int
