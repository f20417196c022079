"""Loihi 2 as a target for networks of continuous values: layers that send what has changed."""

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Key

from ..._checks import Checked, check, fraction, is_known, plain, whole
from .._network._fit import Problem
from .._rates._placed import AbstractRatePart, as_codes, happened, range_unit
from .._rates._stages import RateStage
from .._rates._target import AbstractRateTarget, RateLayers
from .._sums._counts import Counts
from .._sums._quantised import Quantised, quantised
from .._sums._whole import exact_product
from ._limits import LOIHI2, Limits
from ._quantise import WEIGHT
from ._quantise import as_codes as as_mantissas
from ._sigma_delta import SigmaDelta, no_changes, send_changes, sigma_delta
from ._weights import LARGEST

INPUT = (1 << 12) - 1  # the largest input
PEAK = 14  # bits of the largest activation of the calibration, as spikes have it, where the next sums have room
STATE, MESSAGE = 22, 24  # bits of the largest sum of the calibration that is read out, and of a spike
DROPPED = 8  # bits by which a sum is shifted down at the most; the rest are dropped where a spike is sent
SYNAPSE_BITS = 8 + 1 + 10  # mantissa, sign and index of a target [recalled]


def loihi2_sigma_delta(threshold: float = 0.0, *, chips: int = 1) -> "Loihi2SigmaDelta":
    """Loihi 2 for networks of continuous values, by graded spikes; `loihi2` for spiking ones.

    - `threshold`, `chips`: As of `Loihi2SigmaDelta`.

    >>> import memsim as ms
    >>> ms.chips.loihi2_sigma_delta().checked
    'rule bit-checked against lava-nc 0.10.0; limits published only'
    """
    return Loihi2SigmaDelta(threshold, chips)


class Loihi2SigmaDelta(AbstractRateTarget, Checked):
    """Loihi 2 for networks of continuous values: layers with a ReLU that send what has changed since they last sent.

    The inputs of a call are the steps of one recording, from rest. An input layer sends changes as graded spikes; each
    layer sums them, weighted by 8 bits and a sign, and sends the changes of its own activation on; the last is read
    out. Shifts floor, as in lava: each spike may cost one part in 2**14 of the largest activation, and always to the
    same side, so that a value that is never still drifts. Outputs stand at the step of their input; on the chip they
    come one step later for every layer.

    **Arguments:**

    - `threshold`: The smallest change that is sent, relative to the largest activation of the calibration. Larger ones
      save spikes and cost accuracy.
    - `chips`: How many there are, of 128 cores each.

    >>> import equinox as eqx, jax.random as jr, memsim as ms
    >>> mlp = eqx.nn.MLP(4, 3, 8, 1, key=jr.key(0))
    >>> bool(ms.chips.Loihi2SigmaDelta(threshold=0.01).fits(mlp))
    True
    """

    threshold: float = eqx.field(static=True, default=0.0, converter=plain)
    chips: int = eqx.field(static=True, default=1, converter=plain)

    def __check_init__(self):
        check(self, threshold=fraction(one=False), chips=whole(1))

    @property
    def name(self) -> str:
        return "loihi2_sigma_delta"

    @property
    def checked(self) -> str:
        return "rule bit-checked against lava-nc 0.10.0; limits published only"

    @property
    def inputs(self) -> tuple[int, int]:
        return -INPUT, INPUT

    @property
    def limits(self) -> Limits:
        """What the chips hold."""
        return Limits.of(LOIHI2, chips=self.chips)

    def problems(self, stages: tuple[RateStage, ...]) -> Iterator[Problem]:
        limits = self.limits
        for stage in stages:
            if stage.weight.shape[1] > limits.in_axons:
                must, remedy = f"at most {limits.in_axons} inputs a core", "Pool, or split the layer's input."
                yield Problem(stage.path, must, f"{stage.weight.shape[1]}", remedy)
            if is_known(stage.weight) and not bool(jnp.any(stage.weight != 0)):
                yield Problem(stage.path, "weights that are not all zero", "zeros", "Train the network first.")
        if self.cores(stages) > limits.cores:
            remedy = "Make layers smaller, or take several `chips`."
            yield Problem("", f"at most {limits.cores} cores", f"{self.cores(stages)}", remedy)

    def cores(self, stages: tuple[RateStage, ...]) -> int:
        limits = self.limits
        found = math.ceil(stages[0].weight.shape[1] / limits.compartments)
        for stage in stages:
            units, inputs = stage.weight.shape
            by_memory = limits.synapse_bits // max(inputs * SYNAPSE_BITS, 1)
            found += math.ceil(units / max(1, min(limits.compartments, by_memory)))
        return found

    def place(
        self, stages: tuple[RateStage, ...], calibration: Float[Array, "samples inputs"], *, key: Key[Array, ""] | None
    ) -> RateLayers:
        unit = input_unit = range_unit(calibration, INPUT)
        levels = as_codes(calibration, unit, *self.inputs)
        codes = [_codes(stage) for stage in stages]
        parts: list[AbstractRatePart] = [Changes(threshold=self._smallest(jnp.asarray(INPUT)))]
        for stage, its, then in zip(stages, codes, codes[1:], strict=False):
            part, unit = self._placed(stage, its, levels, unit, bits=_room(then.weight))
            levels = part.at_rest(levels)
            parts.append(part)
        last = codes[-1]
        drop = _bits_over(_sums(levels, last.weight), STATE)
        parts.append(Readout(weight=last.weight, drop=drop, path=stages[-1].path))
        unit = unit * last.unit * jnp.exp2(drop.astype(unit.dtype))
        return RateLayers(tuple(parts), tuple(each.report for each in codes), input_unit, unit, stages[-1].bias)

    def _placed(
        self, stage: RateStage, its: "Codes", levels: Int[Array, "samples inputs"], unit: Array, *, bits: Array
    ) -> tuple["Summed", Float[Array, ""]]:
        """One layer for inputs of that `unit`, and what one of its spikes of size one stands for."""
        unit = unit * its.unit
        peak = jnp.max(jnp.maximum(_sums(levels, its.weight).astype(unit.dtype) + (stage.bias / unit)[None], 1.0))
        over = _bits_over(peak, bits)
        drop, factor = jnp.minimum(over, DROPPED), jnp.exp2(over.astype(unit.dtype))
        bias = jnp.round(stage.bias / (unit * factor)).astype(jnp.int32)
        part = Summed(
            weight=its.weight,
            bias=bias,
            threshold=self._smallest(peak / factor),
            drop=drop,
            state_exponent=over - drop,
            path=stage.path,
        )
        return part, unit * factor

    def _smallest(self, peak: Array) -> Int[Array, ""]:
        """The threshold, in spikes, of a layer whose largest activation is `peak`."""
        return jnp.round(self.threshold * peak).astype(jnp.int32)


class Changes(AbstractRatePart):
    """Inputs, of which what has changed is sent."""

    threshold: Int[Array, ""]
    path: str = eqx.field(static=True, default="")

    def __call__(
        self, xs: Int[Array, "samples inputs"], *, key: Key[Array, ""] | None
    ) -> tuple[Int[Array, "samples inputs"], Counts]:
        def one(state: Any, level: Array) -> tuple[Any, Array]:
            sent, state = send_changes(level, state, threshold=self.threshold, state_exponent=0, cumulative=False)
            return state, sent

        sent = jax.lax.scan(one, no_changes(xs.shape[1]), xs)[1]
        none = jnp.zeros((xs.shape[0], 1), jnp.int32)
        spikes = jnp.sum(sent != 0, axis=1, keepdims=True, dtype=jnp.int32)
        return sent, Counts(none, jnp.full_like(none, xs.shape[1]), spikes, none)


class Summed(AbstractRatePart):
    """A matrix, neurons that sum what comes, and the changes of their rectified sums.

    **Arguments:**

    - `weight`: Mantissas.
    - `bias`, `threshold`: In spikes.
    - `drop`, `state_exponent`: Bits that a sum loses, and that a spike does.
    """

    weight: Int[Array, "outputs inputs"]
    bias: Int[Array, " outputs"]
    threshold: Int[Array, ""]
    drop: Int[Array, ""]
    state_exponent: Int[Array, ""]
    path: str = eqx.field(static=True)

    def __call__(
        self, xs: Int[Array, "samples inputs"], *, key: Key[Array, ""] | None
    ) -> tuple[Int[Array, "samples outputs"], Counts]:
        units = self.weight.shape[0]

        def one(state: SigmaDelta, change: Array) -> tuple[SigmaDelta, Array]:
            sent, state = sigma_delta(
                change,
                state,
                bias=self.bias << self.state_exponent,
                threshold=self.threshold << self.state_exponent,
                state_exponent=self.state_exponent,
                cumulative=False,
            )
            return state, sent

        start = SigmaDelta(jnp.zeros(units, jnp.int32), no_changes(units))
        sent = jax.lax.scan(one, start, _sums(xs, self.weight) >> self.drop)[1]
        return sent, happened(xs, self.weight, sent)

    def at_rest(self, levels: Int[Array, "samples inputs"]) -> Int[Array, "samples outputs"]:
        """What all its spikes have told once inputs stay at their `levels`, what shifts cost apart."""
        state = (_sums(levels, self.weight) >> self.drop) + (self.bias << self.state_exponent)[None]
        return jnp.maximum(state, 0) >> self.state_exponent


class Readout(AbstractRatePart):
    """A matrix, and the sums of all that came, read out."""

    weight: Int[Array, "outputs inputs"]
    drop: Int[Array, ""]
    path: str = eqx.field(static=True)

    def __call__(
        self, xs: Int[Array, "samples inputs"], *, key: Key[Array, ""] | None
    ) -> tuple[Int[Array, "samples outputs"], Counts]:
        sums = jnp.cumsum(_sums(xs, self.weight) >> self.drop, axis=0, dtype=jnp.int32)
        return sums, happened(xs, self.weight, jnp.zeros_like(sums))


class Codes(NamedTuple):
    """Mantissas, what one is in the network's numbers, and what became of the weights."""

    weight: Int[Array, "outputs inputs"]
    unit: Float[Array, ""]
    report: Quantised


def _codes(stage: RateStage) -> Codes:
    unit = range_unit(stage.weight, WEIGHT)
    codes = as_mantissas(stage.weight / unit)
    return Codes(codes, unit, quantised(stage.path, stage.weight / unit, codes, largest=LARGEST - 1))


def _sums(spikes: Int[Array, "samples inputs"], weight: Int[Array, "outputs inputs"]) -> Int[Array, "samples outputs"]:
    return exact_product(spikes, weight, most=(1 << (MESSAGE - 1)) - 1, largest=LARGEST)


def _room(weight: Int[Array, "outputs inputs"]) -> Int[Array, ""]:
    """Bits that activations may have, so that no sum of their changes, up to twice as large, passes 32 bits."""
    most = jnp.max(jnp.sum(jnp.abs(weight), axis=1, dtype=jnp.int32)).astype(jnp.float32)
    return jnp.clip(30 - jnp.ceil(jnp.log2(jnp.maximum(most, 1.0))), 1, PEAK).astype(jnp.int32)


def _bits_over(x: Array, bits: int | Array) -> Int[Array, ""]:
    """By how many bits the largest of `x` is beyond so many."""
    largest = jnp.maximum(jnp.max(jnp.abs(x.astype(jnp.float32))), 1.0)
    return jnp.maximum(jnp.ceil(jnp.log2(largest)).astype(jnp.int32) - bits, 0)
