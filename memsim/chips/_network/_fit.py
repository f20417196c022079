"""What of a network does not fit on a chip, and what would repair it."""

from typing import NamedTuple


class Problem(NamedTuple):
    """One broken limit, or one convention that the chip does not share.

    **Arguments:**

    - `path`: Of the layer in the network; empty for the whole.
    - `must`: What the chip can do.
    - `came`: What the network asks for.
    - `remedy`: What would repair it.

    >>> import jax.random as jr, memsim as ms
    >>> network = ms.nn.SpikingNetwork([ms.nn.Linear(4, 8, key=jr.key(0)), ms.nn.LIF(8)])
    >>> for problem in ms.chips.xylo_audio2().fits(network, input_shape=4).problems:
    ...     print(f"must: {problem.must}; came: {problem.came}")
    must: hidden neurons before its outputs; came: one layer
    """

    path: str
    must: str
    came: str
    remedy: str

    def __str__(self) -> str:
        where = f"Layer {self.path}" if self.path else "The network"
        return f"{where} must have {self.must}. Got {self.came}. {self.remedy}"


class Unfit(ValueError):
    """A network, or a layer, that no chip of a kind can hold."""

    problem: Problem

    def __init__(self, path: str, must: str, came: str, remedy: str):
        self.problem = Problem(path, must, came, remedy)
        super().__init__(str(self.problem))


class Fit(NamedTuple):
    """Whether a network fits on a chip; true where it does.

    **Arguments:**

    - `target`: Name of the chip.
    - `problems`: The limits that are broken.
    - `warnings`: What the chip does in another way than the network was trained for.
    - `cores`: How many cores it takes; `None` where that cannot be told.

    >>> import jax.random as jr, memsim as ms
    >>> network = ms.nn.SpikingNetwork([ms.nn.Linear(4, 8, key=jr.key(0)), ms.nn.LIF(8)])
    >>> fit = ms.chips.xylo_audio2().fits(network, input_shape=4)
    >>> bool(fit), fit.target, len(fit.problems)
    (False, 'xylo_audio2', 1)
    """

    target: str
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    cores: int | None

    def __bool__(self) -> bool:
        return not self.problems

    def __str__(self) -> str:
        head = f"{self.target}: fits on {self.cores} cores" if self else f"{self.target}: does not fit"
        return "\n".join([head, *(f"- {each}" for each in self.problems), *(f"- {each}" for each in self.warnings)])
