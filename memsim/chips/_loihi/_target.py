"""Loihi 1 and 2 as targets."""

from abc import abstractmethod
from collections.abc import Iterator
from typing import Literal

import equinox as eqx
from jaxtyping import Array, Key, Num

from ..._checks import check, plain, whole
from .._network._fit import Problem
from .._network._stages import Stage
from .._placing._target import AbstractTarget, Conventions, Layers
from ._limits import LOIHI1, LOIHI2, Limits
from ._place import cores_of, placed, problems
from ._rule import BRIAN2, LAVA, NENGO, Variant

RULES = {
    "lava": (LAVA, "lava-nc 0.10.0"),
    "nengo": (NENGO, "nengo-loihi 1.1.0"),
    "brian2": (BRIAN2, "brian2-loihi 0.5.2"),
}
Rule = Literal["lava", "nengo", "brian2"]


def loihi1(rule: Rule = "lava", *, chips: int = 1) -> "Loihi1":
    """Intel's Loihi 1, in the fixed-point arithmetic of lava-nc, or of another of its public simulators.

    - `rule`, `chips`: As of `Loihi1`.

    >>> import memsim as ms
    >>> ms.chips.loihi1().checked
    'bit-checked against lava-nc 0.10.0'
    """
    return Loihi1(rule, chips)


def loihi2(*, payload: int = 255, chips: int = 1) -> "Loihi2":
    """Intel's Loihi 2: the neuron of Loihi 1, and spikes with a size from outside.

    - `payload`, `chips`: As of `Loihi2`.

    >>> import memsim as ms
    >>> ms.chips.loihi2().most_input
    255
    """
    return Loihi2(payload, chips)


class AbstractLoihi(AbstractTarget):
    """Chips with the neuron of Loihi: what they hold, and whose arithmetic it is."""

    @property
    @abstractmethod
    def limits(self) -> Limits:
        """What the chips hold."""

    @property
    @abstractmethod
    def variant(self) -> Variant:
        """The rule of the neuron."""

    def problems(self, layers: tuple[Stage, ...]) -> Iterator[Problem]:
        return problems(layers, self.limits)

    def cores(self, layers: tuple[Stage, ...]) -> int:
        return sum(int(cores_of(layer, self.limits)[-1]) + 1 for layer in layers)

    def place(
        self,
        layers: tuple[Stage, ...],
        *,
        calibration: Num[Array, "batch steps *inputs"] | None = None,
        key: Key[Array, ""] | None = None,
    ) -> Layers:
        return placed(layers, self.limits, self.variant, wait=self.conventions.acts, most=self.most_input)


class Loihi1(AbstractLoihi):
    """Intel's Loihi 1.

    Currents and membranes of 24 bits, decays of 12 bits, weights of 8 bits and a sign, reset to zero, one spike a
    step. A spike acts on the next layer one step later. A readout is a compartment that never fires, whose membrane is
    probed. Mixed weights are kept even and exponents at zero, where all public simulators agree to the bit.

    **Arguments:**

    - `rule`: Whose arithmetic: "lava"; "nengo", which holds refractory periods of up to 63 steps; or "brian2", where an
      input acts in its own step and membranes know no rails.
    - `chips`: How many there are, of 128 cores each.

    Reference: Davies2018.

    >>> import memsim as ms
    >>> chip = ms.chips.Loihi1()
    >>> chip.conventions.fires, chip.conventions.reset, chip.conventions.acts
    (('above',), ('zero',), 1)
    """

    rule: Rule = eqx.field(static=True, default="lava")
    chips: int = eqx.field(static=True, default=1, converter=plain)

    def __check_init__(self):
        check(self, chips=whole(1))

    @property
    def name(self) -> str:
        return "loihi1"

    @property
    def checked(self) -> str:
        return f"bit-checked against {RULES[self.rule][1]}"

    @property
    def conventions(self) -> Conventions:
        acts, refractory = (0 if self.rule == "brian2" else 1), (0 if self.rule == "lava" else self.limits.refractory)
        return Conventions(fires=("above",), reset=("zero",), acts=acts, spikes=1, refractory=refractory)

    @property
    def most_input(self) -> int:
        return 1

    @property
    def limits(self) -> Limits:
        return Limits.of(LOIHI1, chips=self.chips)

    @property
    def variant(self) -> Variant:
        return RULES[self.rule][0]


class Loihi2(AbstractLoihi):
    """Intel's Loihi 2, with the neuron of `Loihi1` by lava's rule, which lava runs for both.

    Its layers fire spikes of one size; those that come from outside may have one of their own. The numbers of what a
    core holds are second-hand. Networks of continuous values, on layers that send what has changed, go on
    `loihi2_sigma_delta`.

    **Arguments:**

    - `payload`: The largest size of a spike from outside, below 2**16 here; the chip's has up to 32 bits.
    - `chips`: How many there are, of 128 cores each.

    >>> import memsim as ms
    >>> ms.chips.Loihi2(payload=1000).most_input
    1000
    """

    payload: int = eqx.field(static=True, default=255, converter=plain)
    chips: int = eqx.field(static=True, default=1, converter=plain)

    def __check_init__(self):
        check(self, payload=whole(1, most=(1 << 16) - 1), chips=whole(1))

    @property
    def name(self) -> str:
        return "loihi2"

    @property
    def checked(self) -> str:
        return "bit-checked against lava-nc 0.10.0; limits published only"

    @property
    def conventions(self) -> Conventions:
        return Conventions(fires=("above",), reset=("zero",), acts=1, spikes=1, refractory=0)

    @property
    def most_input(self) -> int:
        return self.payload

    @property
    def limits(self) -> Limits:
        return Limits.of(LOIHI2, chips=self.chips)

    @property
    def variant(self) -> Variant:
        return LAVA
