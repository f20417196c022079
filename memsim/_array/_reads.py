"""How an array is read: with which noise, at what voltage, for how long, and by which amplifier."""

import equinox as eqx
from jaxtyping import Array, Float

from device_models import AbstractDevice

from .._checks import Checked, Must, check, positive, write
from . import hints
from ._fluctuation import Correlated
from ._sense import SenseAmplifier

V_READ = positive("in volts", most=5.0, hint="Millivolts? Multiply by 1e-3.")
NOISE = Must(
    '"per_read", "per_moment", "off" or a `Correlated`; "by_spectrum" by default',
    hint=hints.of_name(*hints.NOISES),
)


class Reads(Checked):
    """A setting of a `Crossbar`: how its bit lines are read.

    **Arguments:**

    - `noise`: "by_spectrum" draws once for each cell, in `at`, what stands still for the `inference_time`, and for
      each read what moves within it; cells of unknown spectrum are as with "per_read". That draws noise for each output
      of each read (white noise), and "per_moment" once for each cell in `at`. `Correlated(process, dt)` lets it move
      from one time step of a network to the next. "off" leaves it out. The variance is the same in all.
    - `v_read`: Voltage of a word line at full input, in volts. Of ohmic cells only the offset of `sense` depends on it.
      Without a DAC it is that of a spike, and all inputs are as many spikes.
    - `inference_time`: How long the reads of one moment take together, in seconds; 40 ms is assumed.
    - `sense`: The amplifier between a bit line and its ADC; `None` is an ideal one.

    >>> import device_models as dm, memsim as ms
    >>> ms.Crossbar(dm.pcm_joshi2020(), reads=ms.Reads("per_moment", v_read=0.1)).reads.noise
    'per_moment'
    """

    noise: hints.Noise | Correlated = eqx.field(static=True, default="by_spectrum")
    v_read: float | Float[Array, ""] = 0.2
    inference_time: float = 0.04
    sense: SenseAmplifier | None = None

    def __check_init__(self):
        check(
            self,
            noise=NOISE,
            v_read=V_READ,
            inference_time=positive("in seconds"),
            sense=write("Such as `SenseAmplifier(noise=0.04)`; None is an ideal one."),
        )

    def are_white(self, device: AbstractDevice) -> bool:
        """Whether what is drawn for each read of cells of this `device` is white within it."""
        return self.noise == "per_read" or (self.noise == "by_spectrum" and device.read_spectrum is None)

    def frozen(self, device: AbstractDevice, t: Float[Array, ""]) -> float | Float[Array, ""]:
        """Share of the read noise's variance that stands still in all reads of a moment."""
        if self.noise != "by_spectrum" or device.read_spectrum is None:
            return float(self.noise == "per_moment")
        return device.read_spectrum.frozen(t, self.inference_time)
