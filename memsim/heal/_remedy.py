"""What a way to mend promises, and how it is applied to one chip."""

from abc import abstractmethod
from typing import Any, NamedTuple

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, Key

from .._checks import TIME, Checked, as_time, checked, write
from ..energy import Periphery
from ..nn import Stateful, analog_layers, at, clipping
from ..nn._calling import evaluating
from ..nn._deploy import digital_weight
from ..nn._word_lines import word_lines
from ..train._objective import as_scores
from ..train._samples import Samples
from ..train._task import MODEL, SET, check_task
from ._beside import Beside, beside
from ._spent import Budget, Known, Spent, on_chips

FREE, PLAIN = Budget(), Periphery()
PROBES, PROBING = 1024, 32  # patterns kept of each layer, from so many samples
LOOKED_AT = 8  # samples that tell what converters clip
MOST_CLIPPED = 0.2  # share of what meets a converter; beyond it outputs say nothing of weights


class Case(NamedTuple):
    """A chip that is to be mended.

    - `model`: The digital model that was programmed.
    - `chip`: It on chips.
    - `now`: The chip at `t`.
    - `t`: Its age, in seconds.
    - `samples`: What may be learnt from.
    - `probes`: What word lines are driven with in digital, by path: patterns for arrays that are read alone, shape
      (patterns, lines).

    >>> import equinox as eqx, jax.numpy as jnp, jax.random as jr, device_models as dm, memsim as ms
    >>> model = ms.nn.convert(eqx.nn.Linear(4, 2, key=jr.key(0)))
    >>> chip = ms.program(model, ms.Crossbar(dm.Ideal()), key=jr.key(1))
    >>> case = ms.heal.Case.of(model, chip, ms.at(chip, 0.0), 0.0, jnp.ones((8, 4)), jnp.zeros(8, int))
    >>> case.samples.xs.shape, case.probes
    ((8, 4), {})
    """

    model: Any
    chip: Any
    now: Any
    t: Float[Array, ""]
    samples: Samples
    probes: dict[str, Array]

    @classmethod
    def of(cls, model: Any, chip: Any, now: Any, t: Any, xs: Array, labels: Array) -> "Case":
        """With samples as arrays, also within compiled code; without patterns for arrays that are read alone."""
        return cls(model, chip, now, as_time(t), Samples(xs, labels), {})


class Repair(eqx.Module):
    """What a remedy has found.

    - `chip`: The model on chips, with what was written again.
    - `added`: Digital work beside its layers, by path.
    - `state`: Of norms, or `None` where they stay.
    - `writes`: How many weights were written again.

    >>> import jax.numpy as jnp, memsim as ms
    >>> repair = ms.heal.Repair(chip=None, added={".layers[0]": ms.heal.Beside(offset=jnp.ones(2))}, writes=10.0)
    >>> list(repair.added), repair.state
    (['.layers[0]'], None)
    """

    chip: Any
    added: dict[str, Beside]
    state: eqx.nn.State | None = None
    writes: Float[Array, ""] | float = 0.0

    def on(self, now: Any) -> Any:
        """The mended model, of a moment `now` of `chip`."""
        mended = beside(now, self.added) if self.added else now
        return mended if self.state is None else Stateful(mended.model, self.state)


class Mended(NamedTuple):
    """A mended model at its moment, the repair, which fits later moments too, and what was spent.

    - `model`: Called as the digital one.
    - `repair`: `repair.on(memsim.at(repair.chip, t, key=key))` is the mended model at another age.
    - `spent`: Reads, writes, numbers and joules.

    >>> import equinox as eqx, jax, jax.random as jr, device_models as dm, memsim as ms
    >>> xs, model = jr.normal(jr.key(0), (64, 4)), ms.nn.convert(eqx.nn.Linear(4, 2, key=jr.key(1)))
    >>> design = ms.Crossbar(dm.pcm_joshi2020(), reads=ms.Reads("off"), compensation=None)
    >>> chip, data = ms.program(model, design, key=jr.key(2)), (xs, jax.vmap(model)(xs).argmax(1))
    >>> mended = ms.heal.LineGains(32)(model, chip, data, t=3.15e7, key=jr.key(3))
    >>> mended.model(xs[0]).shape, mended.spent.reads
    ((2,), 32.0)
    """

    model: Any
    repair: Repair
    spent: Spent


class AbstractRemedy(Checked):
    """A way to mend a chip. One of your own writes `planned` and `find`.

    >>> import memsim as ms
    >>> isinstance(ms.heal.LineGains(64), ms.heal.AbstractRemedy)
    True
    """

    @abstractmethod
    def planned(self, known: Known, budget: Budget) -> tuple["AbstractRemedy", Spent]:
        """The remedy as the `budget` allows it, and what it spends. Raises `ValueError` for too small a budget."""

    @abstractmethod
    def find(self, case: Case, *, key: Key[Array, ""]) -> Repair:
        """The repair of one chip: a pure function, compiled for many chips."""

    @checked(model=MODEL, data=SET, t=TIME, periphery=write("Such as `ms.energy.Periphery()`."))
    def __call__(
        self,
        model: Any,
        chip: Any,
        data: Any,
        *,
        t: Any,
        budget: Budget = FREE,
        periphery: Periphery = PLAIN,
        key: Key[Array, ""],
    ) -> Mended:
        """`chip` at age `t` mended within a `budget`.

        **Arguments:**

        - `model`: The digital model.
        - `chip`: It on chips, from `memsim.program(model, crossbar, key=...)`.
        - `data`: What is learnt from: a `memsim.data.Dataset` such as `splits.train`, or arrays (xs, ys).
        - `t`: Age of the chip, in seconds.
        - `budget`: Of reads, writes, and numbers in digital.
        - `periphery`: At whose costs joules are reckoned.
        - `key`: Of the moment, the reads and all other chance.

        **Raises:** `ValueError` for a model without chips, data that do not fit or are not finite, converters that clip
        more than a fifth of what they are given, and too small a budget.
        """
        samples = Samples.of(data)
        check_case(model, chip, samples)
        moment_key, find_key, cost_key = jr.split(key, 3)
        now = at(chip, t, key=moment_key)
        check_clipping(clipped(now, samples.xs, cost_key), list(analog_layers(now)))
        remedy, spent = self.planned(Known.of(chip, now, t, samples.xs, periphery, cost_key), budget)
        case = Case(model, chip, now, as_time(t), samples, probes_of(model, samples.xs))
        found = _found(remedy, case, find_key)
        mended = found.on(now if found.chip is chip else at(found.chip, t, key=moment_key))
        return Mended(mended, found, spent.with_writes(float(found.writes)))


@eqx.filter_jit
def _found(remedy: AbstractRemedy, case: Case, key: Key[Array, ""]) -> Repair:
    return remedy.find(case, key=key)


def check_case(model: Any, chip: Any, samples: Samples) -> None:
    """Raises `ValueError` unless `chip` is `model` on chips, and `samples` are what it takes."""
    made = on_chips(chip)
    if not made:
        raise ValueError(
            "`chip` must be a model whose layers are programmed chips. Got none. Write `chip = memsim.program(model, "
            "crossbar, key=key)`, and its age as `t=`; a model from `memsim.at` no longer has its cells."
        )
    layers = analog_layers(model)
    for path in made:
        if path not in layers:
            raise ValueError(f"`chip` must be `model` on chips. Got a chip at {path}, where `model` has no layer.")
        w = digital_weight(path, layers[path])
        if made[path].scales.shape[1] != w.shape[0]:
            raise ValueError(f"`chip` must be `model` on chips. Got other sizes at {path}.")
    check_task(model, samples, as_scores(None, samples.kind, samples.labels.shape[1:]), kinds=(samples.kind,))


def clipped(now: Any, xs: Array, key: Key[Array, ""]) -> Float[np.ndarray, "layers 2"]:
    """What the DAC and the ADC of each layer clip, of the first few samples."""
    found = clipping(now, xs[:LOOKED_AT], key=key)
    shares = [(found[path].dac, found[path].adc.mean()) if path in found else (0, 0) for path in analog_layers(now)]
    return np.asarray(shares, float)


def check_clipping(shares: Float[np.ndarray, "layers 2"], paths: list[str]) -> None:
    """Raises `ValueError` for saturated converters: their codes hardly depend on the weights any more."""
    for path, each in zip(paths, shares, strict=True):
        for share, what in zip(each, ("inputs of the DAC", "currents of the ADC"), strict=True):
            if share > MOST_CLIPPED:
                raise ValueError(
                    f"Converters must clip at most {MOST_CLIPPED:.0%} before a chip is mended. Got {share:.0%} of the "
                    f"{what} of {path}, whose codes say little of its weights. Find ranges with training data: "
                    "`memsim.calibrate(model, xs, crossbar)`."
                )


def probes_of(model: Any, xs: Array) -> dict[str, Array]:
    """What word lines of the digital `model` are driven with for the first samples, of each layer some patterns."""
    found = {}
    for path, lines in word_lines(evaluating(model), xs[:PROBING], None).items():
        each = np.asarray(lines).reshape(-1, lines.shape[-1])
        each = each[np.any(each != 0, axis=1)]
        some = np.random.default_rng(0).permutation(len(each))[:PROBES]  # part of the procedure: no key
        found[path] = jnp.asarray(each[some] if len(some) else np.zeros((1, lines.shape[-1]), each.dtype))
    return found
