"""The design of a crossbar, and the chips that are made from it."""

from typing import Any, Literal, NamedTuple

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Float, Key

from device_models import AbstractDevice

from ._compensation import GlobalDriftCompensation
from ._converters import ADC, DAC
from ._mapping import DifferentialPair
from ._matrix import AnalogMatrix
from ._tiles import map_tiles, spread_rows
from ._wires import AbstractWires, IdealWires


class Crossbar(eqx.Module):
    """The design of an analog matrix: nothing has happened to it yet.

    `crossbar.program(w, key=...)` is a chip, `chip.at(t, key=...)` a moment of it, and `matrix(x, key=...)` a read.

    **Arguments:**

    - `device`: The memory cell.
    - `mapping`: How weights become conductances.
    - `dac`, `adc`: Converters; `None` is an ideal one.
    - `wires`: The wires within a tile.
    - `compensation`: Drift compensation, or `None`.
    - `tile`: Word lines and bit lines of one array. A larger matrix is cut, and partial sums are added in digital after
      each tile's ADC.
    - `read_noise`: "per_read" draws noise for each output of each read (white noise). "per_moment" draws it once for
      each cell in `at`: 1/f noise is slow, and hardly moves within one inference. "off" leaves it out.
    """

    device: AbstractDevice
    mapping: DifferentialPair = DifferentialPair()
    dac: DAC | None = None
    adc: ADC | None = None
    wires: AbstractWires = IdealWires()
    compensation: GlobalDriftCompensation | None = GlobalDriftCompensation()
    tile: tuple[int, int] = eqx.field(static=True, default=(256, 256))
    read_noise: Literal["per_read", "per_moment", "off"] = eqx.field(static=True, default="per_read")

    def __check_init__(self):
        if len(self.tile) != 2 or min(self.tile) < 1:
            raise ValueError(f"`tile` must be (rows, columns), both at least 1. Got tile={self.tile}.")
        if self.read_noise not in ("per_read", "per_moment", "off"):
            raise ValueError(f'`read_noise` must be "per_read", "per_moment" or "off". Got {self.read_noise!r}.')

    def program(self, w: Float[Array, "outputs inputs"], *, key: Key[Array, ""]) -> "Chip":
        """Fabricates and writes one array that holds `w`. All that chance decides here is frozen in the chip."""
        check_weights(w)
        return self._program(w, key)

    @eqx.filter_jit  # or a first chip would compile a hundred small functions
    def _program(self, w: Float[Array, "outputs inputs"], key: Key[Array, ""]) -> "Chip":
        write_key, reference_key = jr.split(key)
        w = w.T  # word lines are rows
        scales = self.mapping.scales(w, self.tile)
        device = self.device
        targets = self.mapping.targets(w, scales, self.tile[0], device.g_min, device.g_max)
        cells = device.program(targets, key=write_key)
        chip = Chip(self, cells, scales, reference=None)
        if self.compensation is None:
            return chip
        start = chip._uncompensated(jnp.zeros(()), reference_key)
        reference = self.compensation.measure(start.matrix, self.tile[1], key=start.key)
        return Chip(self, cells, scales, reference)

    def deploy(self, w: Float[Array, "outputs inputs"], t: Any, *, key: Key[Array, ""]) -> AnalogMatrix:
        """`program`, then `at` time `t`, with keys split from one."""
        program_key, moment_key = jr.split(key)
        return self.program(w, key=program_key).at(t, key=moment_key)


class Chip(eqx.Module):
    """One fabricated and programmed array. Ageing it twice gives the same history.

    **Arguments:**

    - `crossbar`: Its design.
    - `cells`: State of its cells, shape (2, rows, columns): the positive and the negative ones.
    - `scales`: Weight of one fully-on cell, shape (row_tiles, columns).
    - `reference`: What drift compensation measured at the end of programming.
    """

    crossbar: Crossbar
    cells: Any
    scales: Float[Array, "row_tiles columns"]
    reference: Float[Array, "row_tiles columns"] | None

    def at(self, t: Any, *, key: Key[Array, ""] | None = None) -> AnalogMatrix:
        """The matrix this chip presents `t` seconds after programming. Read noise needs `key`."""
        return self._at(check_time(t), key)

    @eqx.filter_jit
    def _at(self, t: Float[Array, ""], key: Key[Array, ""] | None) -> AnalogMatrix:
        moment = self._uncompensated(t, key)
        matrix, adc = moment.matrix, self.crossbar.adc
        scale = matrix.scale
        assert scale is not None
        if self.reference is not None and self.crossbar.compensation is not None:
            now = self.crossbar.compensation.measure(matrix, self.crossbar.tile[1], key=moment.key)
            scale = scale * (self.reference / jnp.where(now > 0, now, 1.0))
        if adc is not None:
            return eqx.tree_at(lambda m: m.scale, matrix, scale)
        rows = spread_rows(scale, matrix.weight.shape[0], matrix.rows)
        variance = None if matrix.variance is None else matrix.variance * rows**2
        return AnalogMatrix(matrix.weight * rows, variance, None, matrix.dac, None, matrix.rows)

    def _uncompensated(self, t: Float[Array, ""], key: Key[Array, ""] | None) -> "_Moment":
        """The tiles at `t`, before compensation and before tiles without an ADC collapse."""
        design = self.crossbar
        device, tile = design.device, design.tile
        g = device.conductance(self.cells, t)
        std = None if design.read_noise == "off" else device.read_noise(self.cells, t)
        measure_key = None
        if std is not None:
            if key is None:
                raise ValueError(
                    "A chip with read noise needs `at(t, key=...)`. Got no key. Pass one, or choose "
                    '`Crossbar(..., read_noise="off")`.'
                )
            noise_key, measure_key = jr.split(key)
            if design.read_noise == "per_moment":
                g = jnp.maximum(g + std * jr.normal(noise_key, g.shape, g.dtype), 0.0)
                std, measure_key = None, None
        g = jnp.stack([map_tiles(design.wires.effective, polarity, tile) for polarity in g])
        weight = design.mapping.relative_weights(g, device.g_min, device.g_max)
        variance = None if std is None else design.mapping.relative_variance(std, device.g_min, device.g_max)
        return _Moment(self._in_codes(weight, variance), measure_key)

    def _in_codes(self, weight: Array, variance: Array | None) -> AnalogMatrix:
        """Converter steps folded into the matrix, so that a read is a product, a clip and a rounding."""
        dac, adc, scales = self.crossbar.dac, self.crossbar.adc, self.scales
        per_input_code = 1.0 if dac is None else dac.step
        full_input = 1.0 if dac is None else dac.input_range
        per_output_code = 1.0 if adc is None else adc.step * full_input
        gain = per_input_code / per_output_code
        if variance is not None:
            variance = variance * gain**2
        return AnalogMatrix(weight * gain, variance, scales * per_output_code, dac, adc, self.crossbar.tile[0])


class _Moment(NamedTuple):
    matrix: AnalogMatrix
    key: Key[Array, ""] | None


def check_weights(w: Any) -> None:
    """Raises `ValueError` for a matrix that cannot be programmed. Traced values are checked for shape only."""
    if w.ndim != 2 or w.size == 0:
        raise ValueError(f"Weights must be a matrix of shape (outputs, inputs) with no empty axis. Got {w.shape}.")
    if not isinstance(w, Tracer) and not np.isfinite(np.asarray(w)).all():
        bad = int((~np.isfinite(np.asarray(w))).sum())
        raise ValueError(f"Weights must be finite. Got {bad} NaN or infinite of {w.size}. Did the training diverge?")


def check_time(t: Any) -> Float[Array, ""]:
    """`t` as a float array; raises `ValueError` before programming. A traced negative time becomes NaN instead."""
    if not isinstance(t, Tracer) and (np.ndim(t) != 0 or not np.asarray(t) >= 0):
        raise ValueError(
            "`t` must be one time of at least 0 seconds after the end of programming. "
            f"Got {t}. Several times? Use jax.vmap."
        )
    t = jnp.asarray(t, jnp.result_type(float))
    return jnp.where(t >= 0, t, jnp.nan)
