"""A device that breaks one promise is caught at it, and told what came and what to do."""

import dataclasses
import re

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import device_models as dm
import memsim as ms
from device_models._promises import DEVICE_PROMISES
from helpers import slow
from memsim._cli import main


class Cell(dm.AbstractDevice):
    """A cell with a normal write, drift and read noise: what the broken ones below break one part of."""

    g_min: float = 1e-6
    g_max: float = 25e-6
    write: float = 1.0
    drift: float = 1.0
    read: float = 1.0

    sources = ("write = 5e-07 S (assumed for this test)",)

    def noise(self, target, key):
        return 5e-7 * self.write * jr.normal(key, target.shape, target.dtype)

    def program(self, target, *, key):
        write_key, drift_key = jr.split(key)
        nu = 0.05 + 0.01 * jr.normal(drift_key, target.shape, target.dtype)
        return jnp.maximum(target + self.noise(target, write_key), 0.0), nu

    def conductance(self, cells, t):
        g, nu = cells
        return g * (1.0 + jnp.asarray(t) / 20.0) ** (-self.drift * nu)

    def read_noise(self, cells, t):
        return 1e-8 * self.read * jnp.ones_like(cells[0])

    @property
    def effects(self):
        scales = {"write noise": self.write, "drift": self.drift, "read noise": self.read}
        return tuple(effect for effect, scale in scales.items() if scale != 0)

    def without(self, effect):
        names = {"write noise": "write", "drift": "drift", "read noise": "read"}
        return dataclasses.replace(self, **{names[effect]: 0.0}) if effect in names else self


class Forgets(Cell):
    """Draws anew whenever it is read."""

    def conductance(self, cells, t):
        key = jr.key(np.random.default_rng().integers(1 << 30))
        return cells[0] * (1.0 + 0.01 * jr.normal(key, cells[0].shape))


class Deaf(Cell):
    """Draws from a key of its own."""

    def program(self, target, *, key):
        return Cell.program(self, target, key=jr.key(0))


class Flat(Cell):
    """Is right for a line of cells only."""

    def program(self, target, *, key):
        return Cell.program(self, target.reshape(-1), key=key)


@jax.custom_batching.custom_vmap
def more_in_a_batch(x):
    return x


@more_in_a_batch.def_vmap
def _(size, batched, x):
    return 1.1 * x, batched[0]


class Neighbours(Cell):
    """What a cell becomes depends on whether there are others."""

    def noise(self, target, key):
        return more_in_a_batch(Cell.noise(self, target, key))


class Eager(Cell):
    """Another cell where nothing is compiled."""

    def noise(self, target, key):
        eager = not isinstance(jnp.sum(target), jax.core.Tracer)
        return Cell.noise(self, target, key) * (2.0 if eager else 1.0)


class Steep(Cell):
    """Has a root of zero at the lower end."""

    def conductance(self, cells, t):
        return Cell.conductance(self, cells, t) + jnp.sqrt(jnp.maximum(cells[0] - cells[0], 0.0))


class Numb(Cell):
    """What is asked for passes no gradient."""

    def program(self, target, *, key):
        return Cell.program(self, jax.lax.stop_gradient(target), key=key)


class Negative(Cell):
    def conductance(self, cells, t):
        return Cell.conductance(self, cells, t) - 3e-6


class Noisy(Cell):
    def read_noise(self, cells, t):
        return jnp.log(jnp.asarray(t)) * jnp.ones_like(cells[0])  # at time 0


class Upside(Cell):
    """The higher the target, the lower the conductance."""

    def program(self, target, *, key):
        return Cell.program(self, self.g_max + self.g_min - target, key=key)


class Micro(Cell):
    """Is off by a quarter."""

    def program(self, target, *, key):
        return Cell.program(self, 1.25 * target, key=key)


class Swallows(Cell):
    """What is no number is a conductance."""

    def conductance(self, cells, t):
        return jnp.nan_to_num(Cell.conductance(self, cells, t))


class Bent(Cell):
    """Says that it is ohmic, and is not."""

    def current(self, g, v):
        return g * jnp.sinh(v)


class Misheld(Cell):
    def holding(self, g, *, key):
        return self.program(g, key=key)


class Nameless(Cell):
    levels = 1


class Unsourced(Cell):
    sources = ()


class Vague(Cell):
    sources = ("write = 5e-07 S",)


class Unknown(Cell):
    effects = property(lambda self: ("drift", "write noise", "read noise"))


class Silent(Cell):
    """Reads noisily, and does not say so."""

    effects = property(lambda self: tuple(e for e in Cell.effects.fget(self) if e != "read noise"))


class Stays(Cell):
    """Cannot be rid of an effect."""

    def without(self, effect):
        return self


class Left(Cell):
    """Something is left that no effect names."""

    def program(self, target, *, key):
        g, nu = Cell.program(self, target, key=key)
        return g + 1e-8, nu


class Linked(Cell):
    """Without drift the write is another one."""

    def noise(self, target, key):
        return Cell.noise(self, target, jr.fold_in(key, 1) if self.drift else key)


class Loud(Cell):
    """Without read noise the write is another one."""

    def noise(self, target, key):
        return Cell.noise(self, target, jr.fold_in(key, 1) if self.read else key)


BROKEN = {
    Forgets: ("compiled", "a difference of"),
    Deaf: ("another chip", "the same conductance for 100% of the cells of two keys"),
    Flat: ("shapes", "a conductance float32[1] for targets float32[]"),
    Neighbours: ("batch", "a chip that differs by"),
    Eager: ("compiled", "a difference of"),
    Steep: ("gradient", "nan as the slope of a conductance at 0 s and a target of 1e-06 S"),
    Numb: ("gradient", "a conductance that no target moves"),
    Negative: ("in range", "a conductance of -"),
    Noisy: ("in range", "a read noise of -inf S at 0 s"),
    Upside: ("in order", "a mean that falls by 6e-06 S at 0 s"),
    Micro: ("near its target", "means that are off by 25.0% of `g_max`"),
    Swallows: ("not a number", "a conductance of 0 S for a target that is NaN"),
    Bent: ("current", "of a cell whose `iv` is ohmic"),
    Misheld: ("measured", "a conductance at time 0 that is off by"),
    Nameless: ("described", "`levels` 1, neither None nor"),
    Unsourced: ("sources", "no `sources`"),
    Vague: ("sources", "'write = 5e-07 S', which names no place"),
    Unknown: ("known effects", "('drift', 'write noise', 'read noise')"),
    Silent: ("shown effects", "read noise, and `effects` ('write noise', 'drift')"),
    Stays: ("without one", "('write noise', 'drift', 'read noise') without 'write noise'"),
    Left: ("without any", "cells that are off their targets by 1e-08 S"),
    Linked: ("without drift", "other cells at the write without drift"),
    Loud: ("without read noise", "another history without read noise"),
}
QUICK = (Deaf, Flat, Negative, Micro, Swallows, Bent, Nameless, Unsourced, Unknown, Stays)


@pytest.mark.parametrize("kind", [kind if kind in QUICK else slow(kind) for kind in BROKEN])
def test_a_device_that_breaks_a_promise_is_caught_at_it(kind):
    promise, came = BROKEN[kind]
    report = ms.extend.check_device(kind(), promises=[promise])
    assert report.broken == (promise,) and not report
    (finding,) = report.findings
    assert finding.came.startswith("Got ") and came in finding.came and finding.do
    assert "BROKEN" in str(report) and "keeps 0 of 1 promises" in str(report)


def test_every_promise_is_broken_by_some_device_but_the_one_history_that_a_compiled_cell_cannot_lack():
    assert set(DEVICE_PROMISES) - {promise for promise, _ in BROKEN.values()} == {"one history"}


@pytest.mark.slow
def test_the_cell_that_they_are_made_of_keeps_all():
    report = ms.extend.check_device(Cell())
    assert report, str(report)
    assert {each.promise for each in report.findings if each.kept is None} == {"measured"}


def test_a_history_that_is_drawn_anew_is_caught(monkeypatch):
    """What is compiled once draws once; here nothing is compiled."""
    with jax.disable_jit():
        report = ms.extend.check_device(Forgets(), promises=["one history"])
    assert report.broken == ("one history",) and "read twice at one age" in str(report)


def test_an_unknown_promise_suggests_its_neighbours():
    with pytest.raises(ValueError, match="Did you mean another chip"):
        ms.extend.check_device(dm.Ideal(), promises=["another chp"])


def test_a_device_that_does_not_say_its_effects_is_not_held_to_them():
    class Plain(dm.AbstractDevice):
        g_min: float = 0.0
        g_max: float = 25e-6

        def program(self, target, *, key):
            return target

        def conductance(self, cells, t):
            return cells

    report = ms.extend.check_device(Plain(), promises=["without any", "sources", "measured"])
    assert [each.kept for each in report.findings] == [None, True, None]
    assert "write its property `effects`" in str(report)


FILE = """
import device_models as dm

def right():
    return dm.Ideal(sources=("g_max = 2.5e-05 S (assumed)",))

def wrong():
    return dm.Gaussian(0.0, 25e-6, write_noise=dm.curves.Constant(5e-7))

def needs(size):
    return right()

half = 0.5
"""


@pytest.mark.parametrize(
    "word, status, says",
    [
        ("pcm_joshi2020", 0, "PCM keeps 2 of 2 promises"),
        ("mine.py:right", 0, "Ideal keeps 2 of 2"),
        ("mine.py:wrong", 1, "BROKEN  sources"),
        ("device_models:pcm_hermes1", 0, "PCM keeps 2 of 2"),
        ("device.json", 0, "PCM keeps 2 of 2"),
        ("pcm_joshi2002", 2, "Did you mean pcm_joshi2020"),
        ("mine.py", 2, "add what it is called there, mine.py:NAME"),
        ("mine.py:wright", 2, "Did you mean right"),
        ("mine.py:needs", 2, "must be made without arguments"),
        ("mine.py:half", 2, "must be an `AbstractDevice`, or make one. Got float"),
        ("yours.py:right", 2, "A file must be there"),
        ("mine:right", 2, "A file? Write mine.py"),
        ("other.json", 2, "other.json"),
    ],
)
def test_the_command_takes_a_name_a_function_or_a_file(word, status, says, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(FILE)
    dm.fit.save_device("device.json", dm.pcm_joshi2020(), provenance={})
    assert main(["check-device", word, "--promises", "sources", "described"]) == status
    told = capsys.readouterr()
    assert re.search(re.escape(says), told.out + told.err), told
    assert status < 2 or len(told.err.splitlines()) == 1
