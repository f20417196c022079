"""Remedies against each other, on the same chips."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Key

from .._checks import TIME, checked, described, each, whole, write
from ..data import Splits
from ..energy import Periphery
from ..nn import analog_layers
from ..nn._mixed_signal import Designs
from ..study import Outcome, interval_over, provenance, right
from ..study._chips import DESIGN, on_chips
from ..study._provenance import device_numbers
from ..train._evaluate import predictions
from ..train._objective import class_scores
from ..train._samples import Samples
from ..train._task import MODEL, check_task
from ._many import Asked, Chips, Found, Made, outcome_and_losses
from ._regained import By, lost, regained
from ._remedy import AbstractRemedy, check_case, check_clipping, clipped, probes_of
from ._spent import Budget, Known, Spent

if TYPE_CHECKING:
    import xarray as xr

FREE, PLAIN = Budget(), Periphery()
LOSS = {"units": "1", "long_name": "cross-entropy of each recording, in nats"}
MEASURES: dict[By, str] = {"accuracy": "", "loss": "loss_"}
Remedies = Mapping[str, AbstractRemedy] | Sequence[AbstractRemedy]
SPLITS = write("Such as `memsim.data.spoken_digits()`, or `memsim.data.Splits(train, validation, test)`.")
LATER = each(TIME, "each at least 0 seconds after the end of programming, and at most 1e12")
REMEDIES = write('Such as `{"gains": ms.heal.LineGains()}`, or a list of them.')


@checked(
    model=MODEL, data=SPLITS, crossbar=DESIGN, remedies=REMEDIES, time=TIME, later=LATER, chips=whole(1), chunk=whole(1)
)
def compare(
    model: Any,
    data: Splits,
    crossbar: Designs,
    remedies: Remedies,
    *,
    chips: int,
    time: Any,
    later: Sequence[float] = (),
    key: Key[Array, ""],
    budget: Budget = FREE,
    periphery: Periphery = PLAIN,
    chunk: int = 1,
) -> "xr.Dataset":
    """Accuracy on `data.test` of chips of age `time` as they are, and mended by each of the `remedies`.

    What is mended then is judged then, and at `later` ages without being mended again.

    Chip i is that of `memsim.study.robustness` with the same key, whatever the chunk and the number of chips. All
    remedies see the same chips at the same moment, and learn from `data.train` only.

    A data set with `digital_accuracy`, `before_accuracy` (chip, time) and `accuracy` (remedy, chip, time); `reads`,
    `writes` and `joules` (remedy, chip) that it took; `parameters` (remedy) kept in digital, `parameter_share` of the
    model's numbers, and `multiplications` with them for each sample from then on. `regained` (remedy, time) is the
    share of the lost accuracy that comes back, with its 95 % interval `low`, `high` over chips and recordings, as
    `memsim.heal.regained` has it; `loss_regained`, `loss_low` and `loss_high` the same of the loss. `lost` and
    `loss_lost` (time) are what there was to regain: where they are not above 0, shares are NaN. `right` and
    `before_right` tell which recordings are named rightly (`memsim.study.right`), `loss`, `before_loss` and
    `digital_loss` the cross-entropy of each.

    **Arguments:**

    - `model`: Digital: a network over time, a converted one of Equinox, a `Stateful` with norms.
    - `data`: Trained on and tested with.
    - `crossbar`: A design, or `path, layer -> design | None`.
    - `remedies`: By name, or a list of which each is called as its class.
    - `chips`: How many.
    - `time`: Their age when they are mended, in seconds.
    - `later`: Ages at which they are judged again, in seconds, none below `time`.
    - `key`: For everything.
    - `budget`: Of each remedy, for each chip.
    - `periphery`: At whose costs joules are reckoned, on the first chip.
    - `chunk`: Chips side by side.

    **Raises:** `ValueError` for what does not fit, NaN in data, saturated converters and too small a budget, before
    anything is mended.

    >>> import equinox as eqx, jax, jax.random as jr, numpy as np, device_models as dm, memsim as ms
    >>> xs = jr.normal(jr.key(0), (64, 4))
    >>> model = ms.nn.convert(eqx.nn.Linear(4, 2, key=jr.key(1)))
    >>> part = ms.data.Dataset(np.asarray(xs), np.asarray(jax.vmap(model)(xs).argmax(1)))
    >>> data, remedies = ms.data.Splits(part, part, part), {"gains": ms.heal.LineGains(32)}
    >>> design = ms.Crossbar(dm.pcm_joshi2020(), reads=ms.Reads("off"), compensation=None)
    >>> found = ms.heal.compare(model, data, design, remedies, chips=2, time=3.15e7, key=jr.key(2))
    >>> found.accuracy.dims, found.reads.values.tolist()
    (('remedy', 'chip', 'time'), [[32.0, 32.0]])
    """
    named = _named(remedies)
    if any(np.float32(t) < np.float32(time) for t in later):
        raise ValueError(f"`later` must be ages from `time` on, {float(time):g} s. Got {float(min(later)):g} s.")
    train, test = Samples.of(data.train), Samples.of(data.test)
    for samples in (train, test):
        check_task(model, samples, class_scores, kinds=("classes",))
    times = [float(time), *(float(t) for t in later)]
    asked = Asked(model, crossbar, train, test, jnp.asarray(times), probes_of(model, train.xs))
    chips_made = Chips(asked, chips, key, chunk)
    known = _known(asked, chips_made.first, periphery, key)
    planned = {name: remedy.planned(known, budget) for name, remedy in named.items()}
    digital = _digital(model, test)
    before, found = chips_made.outcomes({name: one for name, (one, _) in planned.items()})
    result = _labelled(digital, before, found, {name: each for name, (_, each) in planned.items()}, asked)
    result["parameter_share"] = result.parameters / _size(model)
    attributes = {"mended_at": float(time), "energy_unknown": known.unknown, "data": data.test.citation}
    return result.assign_attrs(provenance() | device_numbers(crossbar) | on_chips(model, crossbar) | attributes)


def _named(remedies: Any) -> dict[str, AbstractRemedy]:
    """By name; raises `ValueError` for what are no remedies, or two of one name."""
    given = remedies.items() if isinstance(remedies, Mapping) else [(type(one).__name__, one) for one in remedies]
    found = dict(given)
    for one in found.values():
        if not isinstance(one, AbstractRemedy):
            raise ValueError(f"`remedies` must be remedies, such as `ms.heal.LineGains()`. Got {described(one)}.")
    if len(found) < len(given) or not found:
        names = [name for name, _ in given]
        raise ValueError(
            f"`remedies` must be one or more of different names. Got {names}. Write a mapping, `{{name: remedy}}`."
        )
    return found


def _known(asked: Asked, first: Made, periphery: Periphery, key: Key[Array, ""]) -> Known:
    """What is known of the first chip; raises `ValueError` where its converters are saturated."""
    chip, now = first.chip, first.at(jnp.zeros((), int))
    check_case(asked.model, chip, asked.train)
    check_clipping(clipped(now, asked.train.xs, key), list(analog_layers(now)))
    return Known.of(chip, now, asked.times[0], asked.train.xs, periphery, key)


@eqx.filter_jit
def _digital(model: Any, test: Samples) -> tuple[Outcome, Array]:
    return outcome_and_losses(predictions(model, test, scores=class_scores), test)


def _size(model: Any) -> int:
    return sum(leaf.size for leaf in jax.tree.leaves(eqx.filter(model, eqx.is_inexact_array)))


def _labelled(
    digital: tuple[Outcome, Array], before: Found, found: dict[str, Found], spent: dict[str, Spent], asked: Asked
) -> "xr.Dataset":
    """All of it by name, with what was regained."""
    import xarray as xr

    names, chips, recordings = list(found), len(before.outcome.accuracy), len(asked.test)
    after = jax.tree.map(lambda *each: np.stack(each), *(one.outcome for one in found.values()))
    variables = after.variables(("remedy", "chip", "time"), recordings)
    variables |= before.outcome.variables(("chip", "time"), recordings, "before_{}")
    variables |= digital[0].variables((), recordings, "digital_{}")
    losses = {
        "loss": (("remedy", "chip", "time", "recording"), np.stack([one.loss for one in found.values()])),
        "before_loss": (("chip", "time", "recording"), np.asarray(before.loss)),
        "digital_loss": ("recording", np.asarray(digital[1])),
    }
    variables |= {name: (*each, LOSS) for name, each in losses.items()}
    times = ("time", np.asarray(asked.times, float), {"units": "s"})
    result = xr.Dataset(variables, {"remedy": names, "chip": np.arange(chips), "time": times})
    ones = np.ones((len(names), chips))
    writes = np.stack([np.asarray(one.writes, float) for one in found.values()])
    result["reads"] = ("remedy", "chip"), ones * np.asarray([[each.reads] for each in spent.values()])
    result["writes"] = ("remedy", "chip"), writes
    joules = [[each.with_writes(made).joules for made in row] for each, row in zip(spent.values(), writes, strict=True)]
    result["joules"] = ("remedy", "chip"), np.asarray(joules, float), {"units": "J"}
    result["parameters"] = "remedy", [each.parameters for each in spent.values()]
    result["multiplications"] = "remedy", [float(each.multiplications) for each in spent.values()]
    for by, prefix in MEASURES.items():
        shares = [
            [regained(result.isel(remedy=i, time=t), by) for t in range(len(times[1]))] for i in range(len(names))
        ]
        for place, name in enumerate(("regained", "low", "high")):
            result[prefix + name] = ("remedy", "time"), np.asarray(shares)[..., place], {"units": "1"}
        there = [lost(result.isel(time=t), by).mean for t in range(len(times[1]))]
        result[f"{prefix}lost"] = "time", there, {"units": "1", "long_name": "below 0: better than digital"}
    return result.assign_attrs(interval_over=interval_over(right(result, "before_right")))
