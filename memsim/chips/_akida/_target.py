"""Akida as a target: layers of whole numbers with a ReLU, by the published formulas."""

from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Key

from device_models import Sourced

from ..._checks import Checked, check
from .._network._fit import Problem
from .._rates._placed import AbstractRatePart, as_codes, happened, range_unit
from .._rates._stages import RateStage
from .._rates._target import AbstractRateTarget, RateLayers
from .._sums._counts import Counts
from .._sums._quantised import Quantised, quantised
from ._rule import Scaled, relu, version1, version2

LIMITS = {
    1: Sourced(57334.0, "inputs a neuron", "the vendor's manual"),
    2: Sourced(2048.0, "inputs a neuron", "the vendor's manual"),
}
PIXEL = 255  # the largest input of a first layer
Version = Literal[1, 2]
Bits = Literal[2, 4]


def akida(version: Version = 2, bits: Bits = 4) -> "Akida":
    """Akida: integer layers with ReLUs, by the published formula.

    - `version`: 2 with 8 bits, or 1 with fewer.
    - `bits`: Of weights and activations of version 1.

    >>> import memsim as ms
    >>> ms.chips.akida().checked
    'published formula, not bit-checked'
    """
    return Akida(version, bits)


class Akida(AbstractRateTarget, Checked):
    """Akida: networks of continuous values as events of whole numbers; there is no leak, and no spiking dynamics.

    Version 2 has weights and activations of 8 bits, sums of 28 and a factor of 8 bits before a shift. Version 1 has
    weights and activations of 2 or 4 bits, and a ReLU in equal steps. First layers take 8 bits. The last layer gives
    its sums. Its vendor's package has not been looked at or run: its licence forbids to tell what it computes.

    **Arguments:**

    - `version`: 1 or 2.
    - `bits`: Of weights and activations of version 1.

    >>> import equinox as eqx, jax.random as jr, memsim as ms
    >>> mlp = eqx.nn.MLP(4, 3, 8, 1, key=jr.key(0))
    >>> placed = ms.chips.Akida().deploy(mlp, calibration=jr.uniform(jr.key(1), (16, 4)))
    >>> bool(ms.chips.Akida().fits(mlp)), [int(layer.weights) for layer in placed.quantised]
    (True, [32, 24])
    """

    version: Version = eqx.field(static=True, default=2)
    bits: Bits = eqx.field(static=True, default=4)

    def __check_init__(self):
        check(self)

    @property
    def name(self) -> str:
        return "akida" if self.version == 2 else "akida1"

    @property
    def checked(self) -> str:
        return "published formula, not bit-checked"

    @property
    def inputs(self) -> tuple[int, int]:
        return 0, PIXEL

    @property
    def _largest(self) -> tuple[int, int]:
        """Weight and activation."""
        bits = 8 if self.version == 2 else self.bits
        return (1 << (bits - 1)) - 1, (1 << bits) - 1

    def problems(self, stages: tuple[RateStage, ...]) -> Iterator[Problem]:
        most = int(float(LIMITS[self.version]))
        for stage in stages:
            if stage.weight.shape[1] > most:
                came = str(stage.weight.shape[1])
                yield Problem(stage.path, f"at most {most} inputs", came, "Pool, or make the layer before it smaller.")

    def cores(self, stages: tuple[RateStage, ...]) -> int:
        return len(stages)

    def place(
        self, stages: tuple[RateStage, ...], calibration: Float[Array, "samples inputs"], *, key: Key[Array, ""] | None
    ) -> RateLayers:
        unit = input_unit = range_unit(calibration, PIXEL)
        xs, most = as_codes(calibration, unit, 0, PIXEL), PIXEL
        parts: list[AbstractRatePart] = []
        reports: list[Quantised] = []
        for place, stage in enumerate(stages):
            layer = _codes(stage, unit, self._largest[0], most)
            reports.append(
                quantised(stage.path, stage.weight / layer.weight_unit, layer.weight, largest=self._largest[0])
            )
            if place == len(stages) - 1:
                part, unit = _sums(layer, stage.path), layer.unit
            elif self.version == 2:
                part, unit = _version2(layer, xs, self._largest[1], stage.path)
            else:
                part, unit = _version1(layer, xs, self.bits, stage.path)
            xs, most = part(xs, key=None)[0], self._largest[1]
            parts.append(part)
        return RateLayers(tuple(parts), tuple(reports), input_unit, unit, jnp.zeros(()))


class Codes(NamedTuple):
    """A matrix in whole numbers; `unit` is what a sum of one is in the network's, `bias` what it adds to sums."""

    weight: Int[Array, "outputs inputs"]
    weight_unit: Float[Array, ""]
    unit: Float[Array, ""]
    bias: Float[Array, " outputs"]
    largest: int
    most: int


class Version2(AbstractRatePart):
    """A layer of version 2; without `bits`, its sums are given out."""

    weight: Int[Array, "outputs inputs"]
    to: Scaled
    largest: int = eqx.field(static=True)
    most: int = eqx.field(static=True)
    bits: int | None = eqx.field(static=True)
    path: str = eqx.field(static=True)

    def __call__(
        self, xs: Int[Array, "samples inputs"], *, key: Key[Array, ""] | None
    ) -> tuple[Int[Array, "samples outputs"], Counts]:
        ys = version2(xs, self.weight, self.to, most=self.most, largest=self.largest)
        ys = ys if self.bits is None else relu(ys, bits=self.bits)
        return ys, happened(xs, self.weight, ys)


class Version1(AbstractRatePart):
    """A layer of version 1."""

    weight: Int[Array, "outputs inputs"]
    threshold: Int[Array, " outputs"]
    step: Int[Array, " outputs"]
    bits: int = eqx.field(static=True)
    most: int = eqx.field(static=True)
    path: str = eqx.field(static=True)

    def __call__(
        self, xs: Int[Array, "samples inputs"], *, key: Key[Array, ""] | None
    ) -> tuple[Int[Array, "samples outputs"], Counts]:
        ys = version1(xs, self.weight, self.threshold, self.step, bits=self.bits, most=self.most)
        return ys, happened(xs, self.weight, ys)


def _codes(stage: RateStage, unit: Float[Array, ""], largest: int, most: int) -> Codes:
    weight_unit = range_unit(stage.weight, largest)
    weight = as_codes(stage.weight, weight_unit, -largest, largest)
    return Codes(weight, weight_unit, unit * weight_unit, stage.bias / (unit * weight_unit), largest, most)


def _sums(layer: Codes, path: str) -> Version2:
    bias, shift = _as_bias(layer.bias, layer.largest)
    zero = jnp.zeros((), jnp.int32)
    to = Scaled(bias, zero, shift, zero + 1, zero)
    return Version2(weight=layer.weight, to=to, largest=layer.largest, most=layer.most, bits=None, path=path)


def _version2(layer: Codes, xs: Int[Array, "samples inputs"], top: int, path: str) -> tuple[Version2, Any]:
    """The factor and the shift with which the largest sum of the calibration is the largest output."""
    factor = top / _peak(layer, xs)
    shift = jnp.clip(jnp.floor(jnp.log2(top / factor)), 0, 31).astype(jnp.int32)
    scale = jnp.clip(jnp.floor(factor * jnp.exp2(shift.astype(factor.dtype))), 1, top).astype(jnp.int32)
    code = jnp.exp2(shift.astype(factor.dtype)) / scale.astype(factor.dtype)  # sums for one output
    bias, bias_shift = _as_bias(layer.bias + code / 2, layer.largest)  # half of one, which the shift cuts off
    to = Scaled(bias, jnp.zeros((), jnp.int32), bias_shift, scale, shift)
    bits = top.bit_length()
    part = Version2(weight=layer.weight, to=to, largest=layer.largest, most=layer.most, bits=bits, path=path)
    return part, layer.unit * code


def _version1(layer: Codes, xs: Int[Array, "samples inputs"], bits: int, path: str) -> tuple[Version1, Any]:
    step = jnp.maximum(jnp.round(_peak(layer, xs) / ((1 << bits) - 1)), 1.0)
    threshold = jnp.round(-layer.bias - step / 2).astype(jnp.int32)  # half a step, which its floor cuts off
    steps = jnp.full(threshold.shape, step.astype(jnp.int32))
    part = Version1(weight=layer.weight, threshold=threshold, step=steps, bits=bits, most=layer.most, path=path)
    return part, layer.unit * step


def _peak(layer: Codes, xs: Int[Array, "samples inputs"]) -> Float[Array, ""]:
    """The largest sum with its bias, at least 1."""
    sums = xs.astype(jnp.float32) @ layer.weight.astype(jnp.float32).T + layer.bias[None]
    return jnp.maximum(jnp.max(sums), 1.0)


def _as_bias(wanted: Float[Array, " outputs"], largest: int) -> tuple[Int[Array, " outputs"], Int[Array, ""]]:
    """Mantissas as large as a weight, and the smallest shift with which they hold all."""
    shift = jnp.ceil(jnp.log2(jnp.maximum(jnp.max(jnp.abs(wanted)) / largest, 1.0))).astype(jnp.int32)
    return jnp.round(wanted / jnp.exp2(shift.astype(wanted.dtype))).astype(jnp.int32), shift
