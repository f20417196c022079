"""One network on all chips: what becomes of its accuracy, and what it takes."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, Key

from .. import recipes
from .._array import Crossbar
from .._checks import check_finite, checked, that
from ..nn import calibrate, convert, deploy
from ..nn._calling import is_network
from ..train._evaluate import predictions
from ..train._memory import MEMORY_RULE, Memory, as_bytes, in_batches
from ..train._objective import Scores, as_scores
from ..train._samples import Samples
from ..train._task import SET, check_task
from ._list import TARGETS, target
from ._placing._chip import AbstractChip
from ._placing._placed import Placed, as_network_outputs
from ._placing._target import AbstractTarget
from ._rates._placed import PlacedRates
from ._rates._target import AbstractRateTarget
from ._sums._counts import Counts

if TYPE_CHECKING:
    import xarray as xr

COUNTS = ("events", "updates", "spikes", "messages")
INPUTS = that("inputs as those of `data`, all of them finite", np.isfinite)
CROSSBARS = {"hermes": recipes.hermes, "neurram": recipes.neurram, "sonos": recipes.sonos}


class Found(NamedTuple):
    """One chip in the table: what it made of each recording, or why it could not."""

    scores: Float[Array, "n classes"] | None = None
    counts: Float[Array, "n counts"] | None = None
    cores: int | None = None
    to_zero: float = np.nan
    refused: str = ""
    warned: str = ""


class Judged(NamedTuple):
    """What all chips are judged by, and what they are calibrated on, apart from it."""

    samples: Samples
    scores: Scores
    memory: float
    calibration: Array | None


@checked(data=SET, memory=MEMORY_RULE, calibration=INPUTS)
def compare(
    network: Any,
    data: Any,
    *,
    key: Key[Array, ""],
    calibration: Any = None,
    targets: Sequence[str | AbstractChip] | None = None,
    crossbars: Mapping[str, Crossbar] | None = None,
    scores: Scores | None = None,
    memory: Memory = None,
) -> "xr.Dataset":
    """`network` on every chip, and on memristor crossbars: a table by `target`.

    `accuracy`, and `agreement`, the fraction of samples that get the class that the network gives them; `cores`;
    `events`, `updates`, `spikes` and `messages` a sample, on all cores together; `weights_to_zero`, the fraction of
    weights that rounding lost; `checked`, against what the arithmetic was; `refused` and `warned`, in words. A chip
    that the network does not fit on has NaN.

    **Arguments:**

    - `network`: A `memsim.nn.SpikingNetwork` whose inputs are spikes; or one of continuous values, with ReLUs, such as
      an `equinox.nn.MLP`. Chips for spikes refuse the second, chips for values the first.
    - `data`: Samples with classes, as of `memsim.train.evaluate`: what is judged.
    - `key`: For what chance decides on chips.
    - `calibration`: Inputs, or a set as `data`, of the training and not of what is judged: chips for values, which
      need it, find ranges from it, and converters of crossbars theirs, by `memsim.calibrate`.
    - `targets`: Names, of `TARGETS` or added by a package, or chips; all of `TARGETS` by default.
    - `crossbars`: Designs by name; published ones by default, read right after programming.
    - `scores`: From the outputs of one sample to one score a class, as of `memsim.train.evaluate`.
    - `memory`: For the samples that run side by side, as of `memsim.train.evaluate`.

    >>> import jax.numpy as jnp, jax.random as jr, memsim as ms
    >>> neuron = ms.nn.LIF(3, firing=ms.nn.Firing(reset="zero"))
    >>> network = ms.nn.SpikingNetwork([ms.nn.Linear(4, 3, key=jr.key(0)), neuron])
    >>> xs = jr.bernoulli(jr.key(1), 0.5, (4, 10, 4)).astype(float)
    >>> data = (xs, jnp.array([0, 1, 2, 0]))
    >>> found = ms.chips.compare(network, data, targets=["loihi1"], crossbars={}, key=jr.key(2))
    >>> float(found["agreement"].sel(target="loihi1"))
    1.0
    """
    import xarray as xr

    samples = Samples.of(data)
    if samples.kind != "classes" or samples.lengths is not None:
        raise ValueError("`data` must have a class for each recording, and no lengths. Cut recordings to one length.")
    check_task(network, samples, as_scores(scores, "classes"), kinds=("classes",))
    how = Judged(samples, as_scores(scores, "classes"), as_bytes(memory), _inputs(calibration, samples))
    own = predictions(network, samples, scores=how.scores, memory=how.memory)
    chips = [target(each) if isinstance(each, str) else each for each in (TARGETS if targets is None else targets)]
    designs = {name: make() for name, make in CROSSBARS.items()} if crossbars is None else crossbars
    found = {"network": Found(own)}
    _check_names([*found, *(chip.name for chip in chips), *designs])
    for place, chip in enumerate(chips):
        found[chip.name] = _on_chip(chip, network, how, key=jr.fold_in(key, place))
    for place, (name, design) in enumerate(designs.items()):
        found[name] = _on_crossbars(design, network, how, key=jr.fold_in(key, len(chips) + place))
    checked_by = {"network": ""} | {chip.name: chip.checked for chip in chips}
    return xr.Dataset(
        _columns(found, own, samples.labels) | {"checked": ("target", [checked_by.get(name, "") for name in found])},
        {"target": list(found)},
    )


def _check_names(names: list[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(
            f"`targets` and `crossbars` must have a name of their own for each row. Got {', '.join(twice)} twice. "
            "Compare chips of one kind in several calls."
        )


def _inputs(calibration: Any, samples: Samples) -> Array | None:
    if calibration is None:
        return None
    found = calibration if eqx.is_array(calibration) else Samples.of(calibration, "calibration").xs
    if found.size == 0 or found.shape[1:] != samples.xs.shape[1:]:
        must = ", ".join(map(str, samples.xs.shape[1:]))
        raise ValueError(f"`calibration` must be inputs as those of `data` (n, {must}). Got shape {found.shape}.")
    check_finite("calibration", found)
    return jnp.asarray(found)


def _on_crossbars(design: Crossbar, network: Any, how: Judged, *, key: Key[Array, ""]) -> Found:
    program_key, read_key = jr.split(key)
    model = convert(network)
    try:
        ranged = design if how.calibration is None else calibrate(model, how.calibration, design)
        model = deploy(model, ranged, 0.0, key=program_key)
    except ValueError as error:
        return Found(refused=str(error))
    return Found(predictions(model, how.samples, key=read_key, scores=how.scores, memory=how.memory))


def _on_chip(chip: AbstractChip, network: Any, how: Judged, *, key: Key[Array, ""]) -> Found:
    over_time, xs = is_network(network), how.samples.xs
    shape = xs.shape[2:] if over_time else xs.shape[1:]
    fit = chip.fits(network, input_shape=shape)
    if not fit:
        return Found(refused=" ".join(map(str, fit.problems)))
    if not isinstance(chip, AbstractTarget | AbstractRateTarget):
        return Found(refused=f"{chip.name} takes no samples one by one. Call its `deploy` yourself.")
    place_key, run_key = jr.split(key)
    inputs = how.calibration
    if over_time and inputs is not None and isinstance(chip, AbstractRateTarget):
        inputs = inputs.reshape(-1, *shape)  # every step is an input
    try:
        placed = chip.placed(network, calibration=inputs, key=place_key, input_shape=shape)
        placed.check_inputs(xs)
    except ValueError as error:
        return Found(refused=str(error))
    found = _run(placed, how, over_time=over_time, key=run_key)
    lost = [float(each.to_zero) * int(each.weights) for each in placed.quantised]
    to_zero = sum(lost) / max(sum(int(each.weights) for each in placed.quantised), 1)
    scored, counts = found[:, : -len(COUNTS)], found[:, -len(COUNTS) :]
    return Found(scored, counts, fit.cores, to_zero, warned=" ".join(map(str, fit.warnings)))


def _run(
    placed: Placed | PlacedRates, how: Judged, *, over_time: bool, key: Key[Array, ""]
) -> Float[Array, "n columns"]:
    """Scores and counts of each sample."""

    def called(x: Array, key: Array) -> tuple[Array, Counts]:
        if isinstance(placed, Placed):
            return as_network_outputs(placed, x, key=key)
        outputs, counts = placed(x if over_time else x[None], key=key)
        return outputs if over_time else outputs[0], counts

    def one(x: Array, key: Array) -> Array:
        outputs, counts = called(x, key)
        totals = jnp.stack([jnp.sum(each.astype(outputs.dtype)) for each in counts])
        return jnp.concatenate([how.scores(outputs), totals])

    xs = how.samples.xs
    return jax.jit(lambda xs, keys: in_batches(one, (xs, keys), how.memory))(xs, jr.split(key, xs.shape[0]))


def _columns(found: dict[str, Found], own: Array, labels: Array) -> dict[str, Any]:
    classes = np.argmax(own, axis=1)
    table: dict[str, list[Any]] = {name: [] for name in ("accuracy", "agreement", "cores", "weights_to_zero", *COUNTS)}
    for each in found.values():
        named = None if each.scores is None else np.argmax(each.scores, axis=1)
        table["accuracy"].append(np.nan if named is None else np.mean(named == np.asarray(labels)))
        table["agreement"].append(np.nan if named is None else np.mean(named == classes))
        table["cores"].append(np.nan if each.cores is None else each.cores)
        table["weights_to_zero"].append(each.to_zero)
        for place, name in enumerate(COUNTS):
            table[name].append(np.nan if each.counts is None else np.mean(each.counts[:, place]))
    words = {name: ("target", [getattr(each, name) for each in found.values()]) for name in ("refused", "warned")}
    return {name: ("target", np.asarray(values, float)) for name, values in table.items()} | words
