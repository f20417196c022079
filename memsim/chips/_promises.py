"""What every chip promises, each as a question that can be asked of any target."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np

from device_models._promises import Promise, Report, Unasked, ask_all

from .._checks import checked
from ..nn import IF, LI, LIF, CuBaLI, CuBaLIF, Firing, Integrator, Linear, SpikingNetwork
from ..nn._calling import is_network
from ._network._fit import Fit
from ._placing._chip import AbstractChip
from ._placing._placed import Placed, as_network_outputs
from ._placing._target import AbstractTarget, Conventions
from ._rates._target import AbstractRateTarget

INPUTS, HIDDEN, OUTPUTS, STEPS, SAMPLES = 6, 20, 3, 40, 30
ROUNDING = 1e-4  # of outputs that are floats, of circuits as well, over the largest
LEAST = 0.5  # correlation of outputs with those of the network: what eight bits and coarse time constants leave is more


class Probed:
    """A `chip` that promises are asked of, with a network that fits on it."""

    def __init__(self, chip: AbstractChip, network: Any = None):
        self.chip, self.given = chip, network

    @cached_property
    def network(self) -> Any:
        """The network that was given, or the first usual one that fits, with the fewest warnings."""
        if self.given is not None:
            return self.given
        fits = [(network, self.chip.fits(network)) for network in usual(self.chip)]
        good = sorted((each for each in fits if each[1]), key=lambda each: len(each[1].warnings))
        if not good:
            reasons = "; ".join(str(fit.problems[0]) for _, fit in fits) or "its kind of network is not known"
            raise Unasked(f"No usual network fits, give one by `network`: {reasons}")
        return good[0][0]

    @cached_property
    def inputs(self) -> jax.Array:
        """One recording of spikes, or some samples of values."""
        shape = (STEPS, INPUTS) if is_network(self.network) else (SAMPLES, INPUTS)
        drawn = jr.uniform(jr.key(1), shape)
        return (drawn < 0.3).astype(drawn.dtype) if isinstance(self.chip, AbstractTarget) else drawn

    @cached_property
    def placed(self) -> Any:
        return self.place(self.network)

    def place(self, network: Any) -> Any:
        """The network on the chip, as it is with one key."""
        calibration = self.inputs[None] if isinstance(self.chip, AbstractTarget) else self.inputs
        assert isinstance(self.chip, AbstractTarget | AbstractRateTarget)
        return self.chip.placed(network, calibration=calibration, key=jr.key(2))

    @cached_property
    def outputs(self) -> tuple[Any, Any]:
        return self.placed(self.inputs, key=jr.key(3))


def usual(chip: AbstractChip) -> list[Any]:
    """Networks of the kinds that chips take."""
    keys = jr.split(jr.key(0), 3)
    if isinstance(chip, AbstractRateTarget):
        return [eqx.nn.MLP(INPUTS, OUTPUTS, HIDDEN, 1, key=keys[0])]
    if not isinstance(chip, AbstractTarget):
        return []
    first, quiet = (Linear(INPUTS, HIDDEN, gain=gain, use_bias=False, key=keys[0]) for gain in (4.0, 0.5))
    last = Linear(HIDDEN, OUTPUTS, gain=4.0, use_bias=False, key=keys[1])
    exciting = eqx.tree_at(
        lambda layer: layer.weight, last, 0.2 * jnp.abs(jnp.asarray(last.weight))
    )  # so that it fires
    ways = [Firing(reset=reset) for reset in ("zero", "subtract")]
    neurons = [(kind, out) for kind, out in ((CuBaLIF, LI), (CuBaLIF, CuBaLI), (LIF, LI), (IF, Integrator))]
    readouts = [
        SpikingNetwork([first, kind(HIDDEN, firing=way), last, out(OUTPUTS)]) for way in ways for kind, out in neurons
    ]
    spiking = [
        SpikingNetwork([quiet, kind(HIDDEN, firing=way), exciting, kind(OUTPUTS, firing=way)])
        for way in ways
        for kind in (CuBaLIF, LIF, IF)
    ]
    return readouts + spiking


def _described(probed: Probed) -> str | None:
    chip: Any = probed.chip
    for name in ("name", "checked"):
        if not (isinstance(getattr(chip, name), str) and getattr(chip, name)):
            return f"`{name}` {getattr(chip, name)!r}, no text"
    if isinstance(chip, AbstractTarget) and not isinstance(chip.conventions, Conventions):
        return f"`conventions` {chip.conventions!r}"
    return None


def _fits(probed: Probed) -> str | None:
    fit = probed.chip.fits(probed.network)
    if not isinstance(fit, Fit):
        return f"{type(fit).__name__} of `fits`, no `Fit`"
    if not fit:
        return f"a network that does not fit: {fit}"
    return None if fit.cores is None or fit.cores >= 1 else f"{fit.cores} cores"


def _spoiled(probed: Probed) -> str | None:
    bad = jax.tree.map(lambda leaf: leaf * jnp.nan if eqx.is_inexact_array(leaf) else leaf, probed.network)
    try:
        probed.chip.fits(bad)
    except ValueError:
        return None
    return "a network whose weights are NaN that was taken"


def _outputs(probed: Probed) -> str | None:
    ys = np.asarray(probed.outputs[0])
    wanted = jax.eval_shape(
        lambda x: probed.network(x) if is_network(probed.network) else jax.vmap(probed.network)(x), probed.inputs
    )
    if ys.shape != wanted.shape:
        return f"outputs of shape {ys.shape} where the network has {wanted.shape}"
    return None if np.isfinite(ys).all() else "outputs that are not finite"


def _again(probed: Probed) -> str | None:
    found, _ = probed.place(probed.network)(probed.inputs, key=jr.key(3))
    return None if np.array_equal(found, probed.outputs[0]) else "other outputs with the same keys"


def _steps(probed: Probed) -> str | None:
    placed, key = probed.placed, jr.key(3)
    if not isinstance(placed, Placed):
        raise Unasked("It takes values, which have no steps.")
    state, step, found = placed.initial_state(), eqx.filter_jit(placed.step), []
    for place, x in enumerate(probed.inputs):
        y, state, _ = step(x, state, key=jr.fold_in(key, place))
        found.append(y)
    return _other(jnp.stack(found), probed.outputs[0], "where steps are taken one by one")


def _batch(probed: Probed) -> str | None:
    placed, xs = probed.placed, probed.inputs
    both, _ = jax.vmap(lambda x: placed(x, key=jr.key(3)))(jnp.stack([xs, xs[::-1]]))
    return _other(both[0], probed.outputs[0], "where a recording is in a batch")


def _other(found: Any, wanted: Any, where: str) -> str | None:
    """What is amiss in outputs: whole numbers are the same, and floats but for rounding."""
    a, b = np.asarray(found), np.asarray(wanted)
    off = np.max(np.abs(a.astype(float) - b.astype(float)))
    same = np.array_equal(a, b) if np.issubdtype(b.dtype, np.integer) else off <= ROUNDING * np.max(np.abs(b))
    return None if same else f"outputs that differ by {off:.2g} {where}"


def _wrong_inputs(probed: Probed) -> str | None:
    wrong = {"NaN": jnp.nan}
    if isinstance(probed.chip, AbstractTarget):
        wrong |= {"half a spike": 0.5, "-1": -1.0, "more than it can take": probed.chip.most_input + 1.0}
    for what, value in wrong.items():
        try:
            probed.placed(probed.inputs.at[1, 1].set(value), key=jr.key(3))
        except ValueError:
            continue
        return f"outputs for an input that is {what}"
    return None


def _counts(probed: Probed) -> str | None:
    counts = probed.outputs[1]
    if counts.target != probed.chip.name:
        return f"counts of {counts.target!r}, a chip of another name"
    for name in ("events", "updates", "spikes", "messages"):
        each = np.asarray(getattr(counts, name))
        if not np.issubdtype(each.dtype, np.integer) or each.min() < 0 or each.shape[0] != len(probed.inputs):
            return f"`{name}` {each.dtype}{list(each.shape)} from {each.min()}, for {len(probed.inputs)} steps"
    if not isinstance(probed.chip, AbstractTarget):
        return None
    _, quiet = probed.placed(jnp.zeros_like(probed.inputs), key=jr.key(3))
    return "messages without any input" if int(quiet.messages[0].sum()) else None


def _near(probed: Probed) -> str | None:
    xs, network = probed.inputs, probed.network
    if isinstance(probed.placed, Placed):
        found, own = as_network_outputs(probed.placed, xs, key=jr.key(3))[0], eqx.filter_jit(network)(xs)
    else:
        found, own = probed.outputs[0], network(xs) if is_network(network) else jax.vmap(network)(xs)
    if np.ptp(own) == 0:
        raise Unasked("The network gives out one value alone; give one by `network` that says more.")
    if np.ptp(found) == 0:
        return f"nothing but {np.ravel(found)[0]:g}"
    r = np.corrcoef(np.ravel(own), np.ravel(found))[0, 1]
    return None if r > LEAST else f"a correlation of {r:.2f} with what the network gives out"


def _derivative(probed: Probed) -> str | None:
    chip, network = probed.chip, probed.network
    if not isinstance(chip, AbstractTarget):
        raise Unasked("It takes values; training runs through networks of spikes.")
    arrays, rest = eqx.partition(network, eqx.is_inexact_array)

    def loss(arrays):
        outputs = chip.through(eqx.combine(arrays, rest), key=jr.key(2))(probed.inputs, key=jr.key(3))
        return jnp.sum(outputs**2)

    slopes = jax.tree.leaves(jax.jit(jax.grad(loss))(arrays))
    if not all(np.isfinite(slope).all() for slope in slopes):
        return "slopes that are not finite"
    return None if any(np.any(slope != 0) for slope in slopes) else "slopes that are all zero"


TARGET_PROMISES = {
    "described": Promise(
        "It has a name and says against what it was checked.", _described, 'Nothing? Say "unchecked".'
    ),
    "fits": Promise("A network fits or is refused with reasons, and takes cores.", _fits, "Let `fits` return a `Fit`."),
    "spoiled": Promise(
        "A network with weights that are NaN is refused.",
        _spoiled,
        "Call `check_finite_model` in a `fits` of your own.",
    ),
    "outputs": Promise(
        "Outputs are finite and have the shape of the network's.", _outputs, "Look at the last part that `place` makes."
    ),
    "again": Promise(
        "One key places one chip, which does the same again.", _again, "Draw from `key` alone in `place`."
    ),
    "steps": Promise(
        "A recording is its steps one by one.", _steps, "Keep all memory of a part in its state; fold keys by step."
    ),
    "batch": Promise("A batch is its recordings one by one.", _batch, "Let no part look across recordings."),
    "wrong inputs": Promise(
        "Inputs that are no spikes of the chip, or no numbers, are refused.", _wrong_inputs, "Say `most_input`."
    ),
    "counts": Promise(
        "What happens on the cores is counted in whole numbers, in every step, under the chip's name.",
        _counts,
        "Let each part return `Counts`, and count messages where spikes arrive.",
    ),
    "near": Promise(
        "It does nearly what the network does.", _near, "Look at units, time constants and delays of each part."
    ),
    "derivative": Promise(
        "Gradients of what runs through the chip are finite, and not all zero.",
        _derivative,
        "Make `place` of traced weights: round by `jnp.round`, and convert nothing to NumPy.",
    ),
}


@checked()
def check_target(chip: AbstractChip, *, network: Any = None, promises: Sequence[str] | None = None) -> Report:
    """Asks of a chip what every target of the package keeps, and reports what it breaks, and what to do.

    **Arguments:**

    - `chip`: An `AbstractTarget` or an `AbstractRateTarget`.
    - `network`: That is placed on it; by default a small one that fits.
    - `promises`: Names of those that are asked; all by default.

    **Raises:** `ValueError` for what is no chip, and for an unknown promise. A chip that breaks one raises nothing.

    >>> import memsim as ms
    >>> print(ms.extend.check_target(ms.chips.loihi1(), promises=["described"]))
    kept    described: It has a name and says against what it was checked.
    loihi1 keeps 1 of 1 promises
    """
    return ask_all(str(chip.name), Probed(chip, network), TARGET_PROMISES, promises)
