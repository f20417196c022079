"""BrainScaleS-2 as a target for networks of continuous values: its products in one go."""

import math
from collections.abc import Iterator

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Int, Key

from device_models import Sourced

from ..._checks import Checked, at_least, check, fraction, is_zero, positive
from .._network._fit import Problem
from .._rates._placed import AbstractRatePart, as_codes, happened, range_unit
from .._rates._stages import RateStage
from .._rates._target import AbstractRateTarget, RateLayers
from .._sums._counts import Counts
from .._sums._quantised import Quantised, quantised
from ._mac import BLOCK, CODE, FLOOR, PULSE, WEIGHT, Readout, block_sums, blocks, converting_relu, product
from ._neurons import log_normal

ORIGIN = "hxtorch mock (git 3bfc7aa)"
DEFAULTS = {
    "gain": Sourced(0.002, "codes", f"{ORIGIN}: its default"),
    "noise": Sourced(2.0, "codes", f"{ORIGIN}: its default"),
    "columns": Sourced(256.0, "1", "Pehle2022: of an array"),
    "sends": Sourced(32.0, "1", "assumed: the most that pulses are sent again"),
}
COLUMNS, MOST_SENDS = (int(float(DEFAULTS[name])) for name in ("columns", "sends"))


def brainscales2_vmm(noise: float = float(DEFAULTS["noise"]), mismatch: float = 0.0) -> "BrainScaleS2VMM":
    """BrainScaleS-2 for networks of continuous values; `brainscales2` for spiking ones.

    - `noise`: Standard deviation of a read, in codes.
    - `mismatch`: Relative standard deviation of the gain from column to column, which calibration leaves.

    >>> import memsim as ms
    >>> ms.chips.brainscales2_vmm().checked
    'bit-checked against hxtorch mock (git 3bfc7aa)'
    """
    return BrainScaleS2VMM(noise, mismatch)


class BrainScaleS2VMM(AbstractRateTarget, Checked):
    """BrainScaleS-2 for networks of continuous values: pulses of 5 bits times weights of 6 bits and a sign.

    A layer is cut into blocks of 128 inputs and 256 outputs, each one use of an array; codes of 8 bits add digitally.
    Weights fill their range layer by layer, as far as the codes of the calibration allow, and pulses are sent as often
    as they allow. A bias is added to the codes, and with it what the floor of the converter takes off on average: half
    a code a block, and what the shift of the converting ReLU cuts off.

    **Arguments:**

    - `noise`: Standard deviation of each read of a block, in codes.
    - `mismatch`: Relative standard deviation of the gain of each column and block: drawn at deployment, assumed.
    - `gain`: Codes for one unit of pulse times weight.
    - `calibrated`: Whether what floors take off is given back.

    Reference: Weis2020.

    >>> import equinox as eqx, jax.random as jr, memsim as ms
    >>> mlp = eqx.nn.MLP(4, 3, 8, 1, key=jr.key(0))
    >>> bool(ms.chips.BrainScaleS2VMM(noise=2.0).fits(mlp))
    True
    """

    noise: float | Float[Array, ""] = float(DEFAULTS["noise"])
    mismatch: float = eqx.field(static=True, default=0.0)
    gain: float | Float[Array, ""] = float(DEFAULTS["gain"])
    calibrated: bool = eqx.field(static=True, default=True)

    def __check_init__(self):
        check(self, noise=at_least(0.0, "in codes"), mismatch=fraction(one=False), gain=positive("in codes"))

    @property
    def name(self) -> str:
        return "brainscales2_vmm"

    @property
    def checked(self) -> str:
        return f"bit-checked against {ORIGIN}" + (", with assumed mismatch" if self.mismatch > 0 else "")

    @property
    def inputs(self) -> tuple[int, int]:
        return 0, PULSE

    def problems(self, stages: tuple[RateStage, ...]) -> Iterator[Problem]:
        yield from ()  # a matrix of any size is cut into blocks

    def cores(self, stages: tuple[RateStage, ...]) -> int:
        return sum(_cores(each) for each in stages)

    def place(
        self, stages: tuple[RateStage, ...], calibration: Float[Array, "samples inputs"], *, key: Key[Array, ""] | None
    ) -> RateLayers:
        if key is None and self.mismatch > 0:
            raise ValueError("`key` must be given: it draws the chip's mismatch. Got None. Pass `jax.random.key(0)`.")
        keys = jr.split(jr.key(0) if key is None else key, len(stages))
        unit = input_unit = range_unit(calibration, PULSE)
        xs, parts, reports, rest = as_codes(calibration, unit, 0, PULSE), [], [], jnp.zeros(())
        for place, (stage, each) in enumerate(zip(stages, keys, strict=True)):
            last = place == len(stages) - 1
            part, unit, rest, report = self._placed(stage, xs, unit, last=last, key=each)
            xs = part.without_noise(xs)
            parts.append(part)
            reports.append(report)
        return RateLayers(tuple(parts), tuple(reports), input_unit, unit, rest)

    def _placed(
        self, stage: RateStage, xs: Int[Array, "samples inputs"], unit: Array, *, last: bool, key: Key[Array, ""]
    ) -> tuple["Product", Array, Array, Quantised]:
        """One layer for inputs `xs` of that `unit`; what its outputs are in units of the network; the report."""
        gain, number = jnp.asarray(self.gain, jnp.float32), blocks(stage.weight.shape[1])
        weight, weight_unit, sends = _in_range(stage.weight, stage.bias / unit, xs, gain)
        code = unit * weight_unit / (gain * sends)  # one code, in the network's numbers
        floor = FLOOR * number if self.calibrated else 0.0
        readout = Readout(gain * log_normal(self.mismatch, (number, weight.shape[0]), key=key), sends, jnp.zeros(()))
        noise = None if is_zero(self.noise) else jnp.asarray(self.noise, jnp.float32)
        part = Product(weight=weight, readout=readout, noise=noise, shift=None, bias=None, path=stage.path)
        report = quantised(stage.path, stage.weight / weight_unit, weight, largest=WEIGHT)
        if last:
            return part, code, stage.bias + floor * code, report
        wanted = stage.bias / code + floor
        codes = part.without_noise(xs).astype(wanted.dtype)
        shift = _shift(codes + wanted[None])
        cut_off = jnp.exp2(shift.astype(code.dtype))
        cut = (cut_off - 1) / 2 if self.calibrated else 0.0
        part = eqx.tree_at(
            lambda p: (p.shift, p.bias), part, (shift, jnp.round(wanted + cut).astype(jnp.int32)), is_leaf=_is_none
        )
        return part, code * cut_off, jnp.zeros(()), report


class Product(AbstractRatePart):
    """A matrix on the arrays; with a `shift`, its outputs become pulses of the next layer."""

    weight: Int[Array, "outputs inputs"]
    readout: Readout
    noise: Float[Array, ""] | None
    shift: Int[Array, ""] | None
    bias: Int[Array, " outputs"] | None
    path: str = eqx.field(static=True)

    def __call__(
        self, xs: Int[Array, "samples inputs"], *, key: Key[Array, ""] | None
    ) -> tuple[Int[Array, "samples outputs"], Counts]:
        noise = None
        if self.noise is not None:
            if key is None:
                raise ValueError("A chip with noise needs `key=`. Got none. Pass `key=jax.random.key(0)`.")
            shape = (xs.shape[0], blocks(self.weight.shape[1]), self.weight.shape[0])
            noise = self.noise * jr.normal(key, shape)
        ys = self._outputs(xs, noise)
        return ys, happened(xs, self.weight, ys)

    def without_noise(self, xs: Int[Array, "samples inputs"]) -> Int[Array, "samples outputs"]:
        """What would come out."""
        return self._outputs(xs, None)

    def _outputs(self, xs: Int[Array, "samples inputs"], noise: Array | None) -> Int[Array, "samples outputs"]:
        codes = product(xs, self.weight, self.readout, noise)
        if self.shift is None or self.bias is None:
            return codes
        return converting_relu(jnp.clip(codes + self.bias[None], -(1 << (CODE - 1)), (1 << (CODE - 1)) - 1), self.shift)


def _cores(stage: RateStage) -> int:
    return math.ceil(stage.weight.shape[1] / BLOCK) * math.ceil(stage.weight.shape[0] / COLUMNS)


def _in_range(
    weight: Float[Array, "outputs inputs"],
    bias: Float[Array, " outputs"],
    xs: Int[Array, "samples inputs"],
    gain: Array,
) -> tuple[Int[Array, "outputs inputs"], Array, Array]:
    """The weights and their unit, and how often pulses are sent.

    Codes of a block, and of all with their `bias`, in units of a weight, fill their range: by sending pulses again, or
    by weights that do not fill theirs.
    """
    unit = range_unit(weight, WEIGHT)
    sums = block_sums(xs, as_codes(weight, unit, -WEIGHT, WEIGHT))
    together = jnp.sum(sums, axis=1)
    peaks = [jnp.max(jnp.abs(each)) for each in (sums, together, together + (bias / unit)[None])]
    room = ((1 << (CODE - 1)) - 1) / jnp.maximum(gain * jnp.max(jnp.stack(peaks)), 1.0)
    unit = unit / jnp.minimum(room, 1.0)
    return as_codes(weight, unit, -WEIGHT, WEIGHT), unit, jnp.clip(jnp.floor(room), 1, MOST_SENDS)


def _shift(codes: Float[Array, "samples outputs"]) -> Int[Array, ""]:
    """The smallest with which what a ReLU leaves is a pulse."""
    peak = jnp.clip(jax.nn.relu(jnp.max(codes)), 0, (1 << (CODE - 1)) - 1)
    return jnp.sum((peak.astype(jnp.int32) >> jnp.arange(3, dtype=jnp.int32)) > PULSE, dtype=jnp.int32)


def _is_none(x: object) -> bool:
    return x is None
