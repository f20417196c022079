"""What is known of an array before its first read."""

from typing import Any

import numpy as np

from .._checks import LONGEST_TIME, Checked, Weights, at_least, check, positive, that, whole

FACTOR = at_least(0.0, "a standard deviation of a natural logarithm", most=5.0, hint="Percent? Divide by 100.")
AGE = that("seconds since the end of programming", lambda t: (t >= 0) & (t <= LONGEST_TIME))


class Known(Checked):
    """What is known before the first read, beyond the design.

    **Arguments:**

    - `targets`: What was written: of a `Crossbar` weights, shape (outputs, inputs), of a `Circuit` conductances in
      siemens, shape (rows, columns). `None`: cells are anywhere in the range of the device.
    - `weight`: Weight of one fully-on cell; `None` is that by which `targets` are mapped, and 1 without.
    - `inputs`, `outputs`: Of a `Crossbar` without targets.
    - `error`: Standard deviation of cells about their targets, in siemens; `None` is the device's law.
    - `age`: Seconds since programming; the median of it where `age_spread`, the standard deviation of its natural
      logarithm, is not zero.
    - `wires`: Standard deviation of the natural logarithm of each resistance that is not zero in the design; 0 where
      they are known.
    - `scale`: The same of a factor that all outputs share: a read voltage, a drift compensation.
    - `gain`, `offset`: Standard deviations of the converter of each bit line, relative and in units of the output;
      `None` are those of the design.
    - `noise`: Standard deviation of an output, in its units; `None` is that of the design. It is never less than 1e-6
      of the outputs' root mean square.

    >>> import memsim as ms
    >>> ms.identify.Known(targets=[[0.5, -1.0]], age=3600.0).wires
    1.0
    """

    targets: Weights | None = None
    weight: float | None = None
    inputs: int | None = None
    outputs: int | None = None
    error: float | None = None
    age: float = 0.0
    age_spread: float = 0.0
    wires: float = 1.0
    scale: float = 0.0
    gain: float | None = None
    offset: float | None = None
    noise: float | None = None

    def __check_init__(self):
        check(
            self,
            weight=positive("the weight of one fully-on cell"),
            inputs=whole(1),
            outputs=whole(1),
            error=positive("in siemens", most=0.1, hint="Micro-siemens? Multiply by 1e-6."),
            age=AGE,
            age_spread=FACTOR,
            wires=FACTOR,
            scale=FACTOR,
            gain=at_least(0.0, "relative", most=1.0, hint="Percent? Divide by 100."),
            offset=at_least(0.0, "in units of the output"),
            noise=at_least(0.0, "in units of the output"),
        )
        if self.age_spread > 0 and self.age == 0:
            raise ValueError("An unknown `age` must have a median above 0 seconds. Got age=0.0. Give its likely value.")
        if self.targets is None:
            self._check_told()

    def _check_told(self) -> None:
        """Raises `ValueError` for unknowns that reads cannot tell from a scale of all conductances."""
        asked: dict[str, Any] = {"scale": self.scale, "gain": self.gain, "age": self.age_spread}
        wrong = [name for name, spread in asked.items() if spread]
        if wrong:
            raise ValueError(
                "Cells whose `targets` are not known must be read with known scale, gain and age. "
                f"Got unknown {wrong}, which cannot be told from the scale of the conductances: twice the gain and "
                "half the conductances give the same reads. Give `targets`, or take them as known."
            )

    @property
    def array(self) -> np.ndarray | None:
        """The targets as an array; raises `ValueError` for what is none."""
        from .._checks import as_weights

        return None if self.targets is None else np.asarray(as_weights(self.targets), np.float64)
