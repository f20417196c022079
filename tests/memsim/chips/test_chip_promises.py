"""Every chip keeps what `memsim check-target` asks, and one that breaks a promise is caught at it."""

import equinox as eqx
import jax
import jax.numpy as jnp
import pytest

import memsim as ms
from helpers import slow
from memsim._cli import main
from memsim.chips._promises import TARGET_PROMISES


@pytest.mark.slow
@pytest.mark.parametrize("name", ms.chips.TARGETS)
def test_every_chip_keeps_every_promise(name):
    report = ms.extend.check_target(ms.chips.target(name))
    assert report, str(report)
    asked = {each.promise for each in report.findings if each.kept}
    of_values = {"steps", "derivative"}
    assert asked >= set(TARGET_PROMISES) - of_values or name == "neurogrid", str(report)  # which takes populations


class Right(ms.chips.AbstractTarget):
    """Loihi, of which the broken ones below break one part."""

    inner: ms.chips.AbstractTarget = ms.chips.loihi2()

    name = property(lambda self: "mine")
    checked = property(lambda self: "unchecked")
    conventions = property(lambda self: self.inner.conventions)
    most_input = property(lambda self: self.inner.most_input)

    def problems(self, layers):
        return self.inner.problems(layers)

    def cores(self, layers):
        return self.inner.cores(layers)

    def place(self, layers, *, calibration, key):
        return self.inner.place(layers, calibration=calibration, key=key)


class Nameless(Right):
    checked = property(lambda self: "")


class Coreless(Right):
    def cores(self, layers):
        return 0


class Careless(Right):
    def fits(self, network, *, input_shape=None):
        return ms.chips.Fit(self.name, (), (), 1)


def scaled(network, factor):
    return jax.tree.map(lambda leaf: factor * leaf if eqx.is_inexact_array(leaf) else leaf, network)


class Another(Right):
    """Is another chip every time."""

    def placed(self, network, **how):
        COUNT.append(1)
        return Right.placed(self, scaled(network, 1 - 0.3 * (len(COUNT) % 2)), **how)


class Deaf(Right):
    def placed(self, network, **how):
        return Right.placed(self, scaled(network, 0.0), **how)


class Stopped(Right):
    """Passes no gradient."""

    def through(self, network, *, key=None, input_shape=None):
        run = Right.through(self, network, key=key)
        return lambda x, *, key=None: jax.lax.stop_gradient(run(x, key=key))


class Greedy(Right):
    """Takes what it should refuse."""

    def placed(self, network, **how):
        return Open(Right.placed(self, network, **how))


class Wrapped(eqx.Module):
    """A placed network, of which one part is changed."""

    inner: ms.chips.Placed

    @property
    def quantised(self):
        return self.inner.quantised


class Open(Wrapped):
    def __call__(self, x, *, key=None):
        return self.inner(jnp.clip(jnp.round(jnp.nan_to_num(x)), 0, 1), key=key)


class Short(Wrapped):
    def __call__(self, x, *, key=None):
        ys, counts = self.inner(x, key=key)
        return ys[:, :-1], counts


class Miscounted(Wrapped):
    def __call__(self, x, *, key=None):
        ys, counts = self.inner(x, key=key)
        return ys, eqx.tree_at(lambda c: c.events, counts, counts.events - 100)


class Crowded(Wrapped):
    def __call__(self, x, *, key=None):
        ys, counts = self.inner(x, key=key)
        return more_in_a_batch(ys), counts


class Stepless(ms.chips.Placed):
    def step(self, x, state, *, key=None):
        y, state, counts = ms.chips.Placed.step(self, x, state, key=key)
        return y + 1, state, counts


@jax.custom_batching.custom_vmap
def more_in_a_batch(x):
    return x


@more_in_a_batch.def_vmap
def _(size, batched, x):
    return 2 * x + 1, batched[0]


def wrapping(kind):
    class Changed(Right):
        def placed(self, network, **how):
            return kind(Right.placed(self, network, **how))

    return Changed


class Stumbling(Right):
    def placed(self, network, **how):
        right = Right.placed(self, network, **how)
        return Stepless(**{name: getattr(right, name) for name in right.__dataclass_fields__})


COUNT: list[int] = []
BROKEN = {
    "described": (Nameless, "`checked` '', no text"),
    "fits": (Coreless, "0 cores"),
    "spoiled": (Careless, "whose weights are NaN that was taken"),
    "outputs": (wrapping(Short), "outputs of shape (40, 2) where the network has (40, 3)"),
    "again": (Another, "other outputs with the same keys"),
    "steps": (Stumbling, "where steps are taken one by one"),
    "batch": (wrapping(Crowded), "where a recording is in a batch"),
    "wrong inputs": (Greedy, "outputs for an input that is NaN"),
    "counts": (wrapping(Miscounted), "`events` int32"),
    "near": (Deaf, "nothing but 0"),
    "derivative": (Stopped, "slopes that are all zero"),
}
FAST = ("described", "fits", "spoiled", "wrong inputs", "near")


@pytest.mark.parametrize("promise", [name if name in FAST else slow(name) for name in TARGET_PROMISES])
def test_a_chip_that_breaks_a_promise_is_caught_at_it(promise, unchecked):
    kind, came = BROKEN[promise]
    report = ms.extend.check_target(kind(), promises=[promise])
    assert report.broken == (promise,) and came in str(report), str(report)


@pytest.mark.slow
def test_the_chip_that_they_are_made_of_keeps_all():
    report = ms.extend.check_target(Right())
    assert report, str(report)


def test_a_network_of_ones_own_is_placed_where_it_is_given():
    network = ms.nn.SpikingNetwork([ms.nn.Linear(6, 3, key=jax.random.key(0)), ms.nn.AdEx(3)])
    report = ms.extend.check_target(ms.chips.loihi2(), network=network, promises=["fits"])
    assert report.broken == ("fits",) and "does not fit" in str(report)


@pytest.mark.parametrize(
    "word, status, says",
    [
        ("loihi2", 0, "loihi2 keeps 1 of 1"),
        ("memsim.chips:speck", 0, "speck keeps 1 of 1"),
        ("lohi2", 2, "Did you mean loihi2"),
        ("memsim.chips:Counts", 2, "must be made without arguments"),
    ],
)
def test_the_command_takes_a_name_or_a_function(word, status, says, capsys):
    assert main(["check-target", word, "--promises", "described"]) == status
    told = capsys.readouterr()
    assert says in told.out + told.err
