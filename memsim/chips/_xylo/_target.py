"""The Xylo chips as targets."""

from collections.abc import Iterator
from typing import Literal

import equinox as eqx
from jaxtyping import Array, Key, Num

from ..._checks import Checked
from .._network._fit import Problem
from .._network._stages import Stage
from .._placing._target import AbstractTarget, Conventions, Layers, own_delay
from ._fits import problems
from ._limits import CHIPS, Limits
from ._part import Layer, Synapses
from ._quantise import settings
from ._rule import MOST_HIDDEN, MOST_INPUT, MOST_OUT

Chip = Literal["xylo_audio1", "xylo_audio2", "xylo_audio3", "xylo_imu"]


def xylo_audio1() -> "Xylo":
    """SynSense's Xylo Audio 1, core v1: no biases; 16 inputs, 1000 hidden neurons, 8 outputs.

    >>> import memsim as ms
    >>> ms.chips.xylo_audio1().checked
    'bit-checked against xylosim 0.1.3, core v1'
    """
    return Xylo("xylo_audio1")


def xylo_audio2() -> "Xylo":
    """SynSense's Xylo Audio 2, core v2: 16 inputs, 1000 hidden neurons, 8 outputs.

    >>> import memsim as ms
    >>> ms.chips.xylo_audio2().checked
    'bit-checked against xylosim 0.1.3, core v2'
    """
    return Xylo("xylo_audio2")


def xylo_audio3() -> "Xylo":
    """SynSense's Xylo Audio 3, core v2: 16 inputs, 992 hidden neurons, 32 outputs.

    >>> import memsim as ms
    >>> ms.chips.xylo_audio3().name, ms.chips.xylo_audio3().most_input
    ('xylo_audio3', 15)
    """
    return Xylo("xylo_audio3")


def xylo_imu() -> "Xylo":
    """SynSense's Xylo IMU, core v2: 16 inputs, 496 hidden neurons, 16 outputs.

    >>> import memsim as ms
    >>> ms.chips.xylo_imu().name, ms.chips.xylo_imu().most_input
    ('xylo_imu', 15)
    """
    return Xylo("xylo_imu")


class Xylo(AbstractTarget, Checked):
    """A chip of SynSense's Xylo family: hidden neurons, all recurrent, and outputs.

    Currents, membranes and thresholds of 16 bits, weights of 8 that are shifted together; decays by a shift; up to 15
    events of an input and 31 spikes of a hidden neuron in a step, one of an output. Inputs act in their step, spikes
    on other neurons in the next. All layers of a network but the last are hidden neurons. A readout is an output that
    never fires, whose membrane is probed: of 16 bits, which long time constants of membrane and current fill, so give
    it a `tau_syn` of two steps.

    **Arguments:**

    - `chip`: "xylo_audio1", whose core is v1 and has no biases, "xylo_audio2", "xylo_audio3" or "xylo_imu".

    >>> import memsim as ms
    >>> chip = ms.chips.Xylo("xylo_imu")
    >>> chip.name, chip.most_input, chip.conventions.spikes
    ('xylo_imu', 15, 31)
    """

    chip: Chip = eqx.field(static=True, default="xylo_audio2")

    @property
    def name(self) -> str:
        return self.chip

    @property
    def checked(self) -> str:
        return f"bit-checked against xylosim 0.1.3, core {self._limits.core}"

    @property
    def conventions(self) -> Conventions:
        return Conventions(
            fires=("at",),
            reset=("subtract",),
            acts=1,
            acts_first=0,
            spikes=MOST_HIDDEN,
            spikes_last=MOST_OUT,
            refractory=0,
            synaptic_current=True,
        )

    @property
    def most_input(self) -> int:
        return MOST_INPUT

    @property
    def _limits(self) -> Limits:
        return CHIPS[self.chip]

    def problems(self, layers: tuple[Stage, ...]) -> Iterator[Problem]:
        return problems(layers, self._limits)

    def cores(self, layers: tuple[Stage, ...]) -> int:
        return 1

    def place(
        self,
        layers: tuple[Stage, ...],
        *,
        calibration: Num[Array, "batch steps *inputs"] | None = None,
        key: Key[Array, ""] | None = None,
    ) -> Layers:
        parts, reports = [], []
        for layer in layers:
            found, first, last = settings(layer), layer is layers[0], layer is layers[-1]
            part = Layer(
                synapses=Synapses(found.weight, found.shift),
                feedback=None if found.feedback is None else Synapses(found.feedback, found.shift),
                to=found.to if self._limits.core == "v2" else found.to._replace(bias=None),
                alias=None,
                unit=found.unit,
                rest=layer.dynamics().rest,
                core=self._limits.core,
                most=MOST_OUT if last else MOST_HIDDEN,
                most_input=MOST_INPUT if first else MOST_HIDDEN,
                wait=own_delay(layer.habits()) if first else 1,
                spiking=layer.dynamics().threshold is not None,
                path=layer.path,
            )
            parts.append(part)
            reports.append(found.report)
        return Layers(tuple(parts), tuple(reports))
