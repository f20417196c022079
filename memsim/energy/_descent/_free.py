"""Which numbers of a design may change, and between which ends."""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from device_models import WriteVerify
from device_models._checks._quantities import LARGEST_PLAUSIBLE_CONDUCTANCE, MICRO_SIEMENS, MILLIVOLTS, exceeds
from device_models.iv import Ohmic

from ..._array import ADC, DAC, Crossbar, PulseWidthDAC
from ..._checks import LONGEST_TIME, Checked, check, is_zero, plain, positive, that
from .._conversions import Number
from .._relaxed import resolution_of

Ends = tuple[float, float] | None
Bits = tuple[int, int] | None
CONDUCTANCES = positive("in siemens", most=LARGEST_PLAUSIBLE_CONDUCTANCE, hint=MICRO_SIEMENS)
OF_CHIP = {
    "v_read": positive("in volts", most=5.0, hint=MILLIVOLTS),  # as of `Reads`
    "g_max": CONDUCTANCES,
    "window": CONDUCTANCES,
    "interval": positive("in seconds", most=LONGEST_TIME),
}
OF_LAYER = ("adc_bits", "dac_bits")
OF_BITS = that("whole numbers from 2 to 16", lambda bits: (np.asarray(bits) >= 2) & (np.asarray(bits) <= 16))
NEAR_END = 0.02  # of the way, where a number starts that lies at or beyond an end: there it could not move


class Free(Checked):
    """Numbers of a design that `descend` may change, each between two ends; `None` leaves it as it is.

    The voltage of a read, the range of the cells, the window of a write-verify and the interval between two writes are
    numbers of a chip, the bits and the ranges of converters numbers of each layer.

    **Arguments:**

    - `v_read`: In volts. The noise of the sense amplifiers, which a design must have, stays what it is in amperes.
    - `g_max`: Of a cell that is fully on, in siemens: the upper end of the part of the range that is used, within that
      of the device.
    - `adc_bits`, `dac_bits`: Sign included. They are broken until they are rounded.
    - `ranges`: Whether full scales and input ranges of converters are trained.
    - `window`: Of a `WriteVerify`, in siemens.
    - `interval`: Seconds between two times that all cells are written anew.

    >>> import memsim as ms
    >>> ms.energy.Free(v_read=(0.05, 0.4), adc_bits=(4, 8)).chosen
    ('v_read', 'adc_bits')
    """

    v_read: Ends = eqx.field(static=True, converter=plain, default=None)
    g_max: Ends = eqx.field(static=True, converter=plain, default=None)
    adc_bits: Bits = eqx.field(static=True, converter=plain, default=None)
    dac_bits: Bits = eqx.field(static=True, converter=plain, default=None)
    ranges: bool = eqx.field(static=True, default=True)
    window: Ends = eqx.field(static=True, converter=plain, default=None)
    interval: Ends = eqx.field(static=True, converter=plain, default=None)

    def __check_init__(self):
        check(self, **OF_CHIP, **dict.fromkeys(OF_LAYER, OF_BITS))
        for name in self.chosen:
            low, high = getattr(self, name)
            if not low < high:
                raise ValueError(f"`{name}` must be two ends, (low, high) with low < high. Got {(low, high)}.")

    @property
    def chosen(self) -> tuple[str, ...]:
        """Names of the numbers that change, the ranges of converters apart."""
        return tuple(name for name in (*OF_CHIP, *OF_LAYER) if getattr(self, name) is not None)

    def check_design(self, design: Crossbar, path: str, per_second: float | None) -> None:
        """Raises `ValueError` for what has no effect on accuracy or energy of layer `path`, and so no optimum."""
        sense = design.reads.sense
        noisy = sense is not None and not is_zero(sense.noise)
        device = design.device
        needs = {
            "v_read": (noisy, "an amplifier whose noise it is compared with", "sense=SenseAmplifier(noise=0.04)"),
            "g_max": (noisy or bool(device.effects), "cells or amplifiers with errors", "a device with write noise"),
            "adc_bits": (isinstance(design.adc, ADC), "an ADC of equal steps", "adc=ADC(8)"),
            "dac_bits": (isinstance(design.dac, DAC | PulseWidthDAC), "a DAC of one pulse", "dac=PulseWidthDAC(8)"),
            "window": (isinstance(device, WriteVerify), "cells that are verified", "WriteVerify(device, window, 20)"),
            "interval": (
                per_second is not None,
                "a rate of inferences, over which writes are shared",
                "per_second=1.0",
            ),
        }
        for name in self.chosen:
            there, what, example = needs[name]
            if not there:
                raise ValueError(
                    f"A design with a free `{name}` must have {what}. Got layer {path} without. Such as `{example}`."
                )
        self._check_exact(design, path)
        self._check_range(design, path)

    def _check_range(self, design: Crossbar, path: str) -> None:
        """Raises `ValueError` for ends that cells of the device could not have."""
        low, high = design.device.g_min, design.device.g_max
        if self.g_max is not None:
            if design.device.levels is not None:
                raise ValueError(
                    "Cells with a free `g_max` must have a continuous range. Got one with "
                    f"{design.device.levels} levels in {path}. Leave the levels out, or `g_max` as it is."
                )
            if exceeds(self.g_max[1], high) or not exceeds(self.g_max[0], low):
                raise ValueError(
                    "`g_max` must lie within the range of the device, in siemens. Got "
                    f"{self.g_max} for {low:g} to {high:g} in {path}. {MICRO_SIEMENS}"
                )
        if self.window is not None and float(self.window[1]) >= float(high) - float(low):
            raise ValueError(
                "`window` must be less than the range of the device, in siemens. Got "
                f"{self.window} for {low:g} to {high:g} in {path}. {MICRO_SIEMENS}"
            )

    def _check_exact(self, design: Crossbar, path: str) -> None:
        errors = [one for one in (design.dac, design.adc) if getattr(one, "errors", None) is not None]
        if errors and {"adc_bits", "dac_bits"} & set(self.chosen):
            raise ValueError(
                f"Converters with free bits must be without errors of their own. Got {errors[0]} in {path}. Leave them "
                "out, and judge the design with them by `memsim.study.robustness`."
            )
        if "v_read" in self.chosen and not isinstance(design.device.iv, Ohmic):
            raise ValueError(
                f"Cells read at a free voltage must be ohmic. Got {type(design.device.iv).__name__} in {path}."
            )


class Knob(NamedTuple):
    """A number between two ends, as one that may be any: its place on a logistic curve."""

    place: Float[Array, ""]
    low: float
    high: float
    logarithmic: bool

    @classmethod
    def at(cls, value: float, low: float, high: float, *, logarithmic: bool) -> "Knob":
        """The number `value`, or the nearest to it from where it can move both ways."""
        bottom, top, here = (float(np.log(x)) if logarithmic else float(x) for x in (low, high, value))
        share = np.clip((here - bottom) / (top - bottom), NEAR_END, 1 - NEAR_END)
        return cls(jnp.asarray(np.log(share / (1 - share)), jnp.result_type(float)), low, high, logarithmic)

    @property
    def value(self) -> Float[Array, ""]:
        share = jax.nn.sigmoid(self.place)
        if self.logarithmic:
            return self.low * (self.high / self.low) ** share
        return self.low + (self.high - self.low) * share


def starting(free: Free, designs: dict[str, Crossbar]) -> dict[str, dict[str, Knob]]:
    """The knobs that are free, by name and path; where a chip has one number, all layers together as path ""."""
    first = next(iter(designs.values()))
    found: dict[str, dict[str, Knob]] = {}
    start: dict[str, Number] = {"v_read": first.reads.v_read, "g_max": first.cell_range[1]}
    if isinstance(first.device, WriteVerify):
        start["window"] = first.device.window
    for name in OF_CHIP:
        if (ends := getattr(free, name)) is not None:
            value = float(start[name]) if name in start else float(np.sqrt(ends[0] * ends[1]))
            found[name] = {"": Knob.at(value, *ends, logarithmic=True)}
    for name in OF_LAYER:
        if (ends := getattr(free, name)) is not None:
            bits = {path: resolution_of(getattr(one, name.removesuffix("_bits"))) for path, one in designs.items()}
            low, high = map(float, ends)
            found[name] = {path: Knob.at(float(b or high), low, high, logarithmic=False) for path, b in bits.items()}
    return found
