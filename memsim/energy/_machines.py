"""Digital machines: how often they compute, and what they fetch from where."""

from abc import abstractmethod
from typing import NamedTuple

import equinox as eqx
import numpy as np
from jaxtyping import Float

from .._checks import Checked, check, plain, positive, whole

SUM_BITS = 32
Each = float | Float[np.ndarray, " samples"]  # of each sample


class Work(NamedTuple):
    """What a layer is asked for: its matrix, and for each sample the vectors it meets and the spikes among them.

    **Arguments:**

    - `rows`, `columns`: Inputs and outputs of the matrix.
    - `bits`: Of a weight, and of an input.
    - `reads`: Vectors that it is multiplied with.
    - `spikes`: Of all rows together: the inputs that are not 0, each as often as it is large.
    """

    rows: int
    columns: int
    bits: int
    reads: Each
    spikes: Each

    @property
    def products(self) -> Each:
        """Multiplications of a machine that does not look at its inputs."""
        return self.reads * (self.rows * self.columns)


class AbstractMachine(Checked):
    """Where a machine keeps its data, and how often it fetches them.

    >>> import memsim as ms
    >>> machines = [ms.energy.Systolic(), ms.energy.Processor(), ms.energy.EventDriven()]
    >>> all(isinstance(machine, ms.energy.AbstractMachine) for machine in machines)
    True
    """

    @abstractmethod
    def multiplications(self, work: Work) -> Each:
        """How many it computes."""

    @abstractmethod
    def additions(self, work: Work) -> Each:
        """How many it computes."""

    @abstractmethod
    def instructions(self, work: Work) -> Each:
        """How many it decodes."""

    @abstractmethod
    def fetched(self, work: Work) -> Each:
        """Bits into and out of the memory on the chip."""

    @abstractmethod
    def beside(self, work: Work) -> Each:
        """Bits into and out of a memory of 8 KiB beside the adders."""

    @abstractmethod
    def outside(self, work: Work) -> Each:
        """Weights from the memory outside, where those of the model do not fit on the chip."""

    @property
    @abstractmethod
    def memory(self) -> float:
        """Bytes on the chip."""


class Systolic(AbstractMachine):
    """An array of multipliers that keeps a block of weights while inputs stream through.

    **Arguments:**

    - `size`: Rows and columns of multipliers.
    - `memory`: Bytes of the memory on the chip. Weights of a model that does not fit come from outside, once for
      `batch` samples.
    - `batch`: Samples side by side.

    >>> import jax.numpy as jnp, jax.random as jr, memsim as ms
    >>> model, xs = ms.nn.Linear(64, 32, key=jr.key(0)), jnp.ones((1, 64))
    >>> cost = ms.energy.digital(model, xs, machine=ms.energy.Systolic(size=64))
    >>> print(f"{1e9 * cost.joules.sum().item():.1f} nJ")
    14.5 nJ
    """

    size: int = eqx.field(static=True, converter=plain, default=128)
    memory: float = eqx.field(default=1048576.0)  # pyright: ignore[reportIncompatibleMethodOverride]
    batch: int = eqx.field(static=True, converter=plain, default=1)

    def __check_init__(self):
        check(self, size=whole(1), memory=positive("in bytes"), batch=whole(1))

    def multiplications(self, work: Work) -> Each:
        return work.products

    def additions(self, work: Work) -> Each:
        return work.products

    def instructions(self, work: Work) -> Each:
        return 0.0

    def fetched(self, work: Work) -> Each:
        blocks_of_rows, blocks_of_columns = -(-work.rows // self.size), -(-work.columns // self.size)
        inputs, sums = work.rows * blocks_of_columns, work.columns * (2 * blocks_of_rows - 1)
        weights = work.rows * work.columns * work.bits / self.batch
        return work.reads * (inputs * work.bits + sums * SUM_BITS) + weights

    def beside(self, work: Work) -> Each:
        return 0.0

    def outside(self, work: Work) -> Each:
        return work.rows * work.columns / self.batch


class Processor(AbstractMachine):
    """A processor that fetches both operands of each multiplication from its cache, and decodes an instruction for it.

    **Arguments:**

    - `memory`: Bytes of its cache. Weights of a model that does not fit come from outside for each product of a vector.

    >>> import jax.numpy as jnp, jax.random as jr, memsim as ms
    >>> model, xs = ms.nn.Linear(64, 32, key=jr.key(0)), jnp.ones((1, 64))
    >>> processor = ms.energy.digital(model, xs, machine=ms.energy.Processor())
    >>> bool(processor.joules.sum() > ms.energy.digital(model, xs, machine=ms.energy.Systolic()).joules.sum())
    True
    """

    memory: float = eqx.field(default=32768.0)  # pyright: ignore[reportIncompatibleMethodOverride]

    def __check_init__(self):
        check(self, memory=positive("in bytes"))

    def multiplications(self, work: Work) -> Each:
        return work.products

    def additions(self, work: Work) -> Each:
        return work.products

    def instructions(self, work: Work) -> Each:
        return work.products

    def fetched(self, work: Work) -> Each:
        return work.reads * (2 * work.rows * work.columns * work.bits + work.columns * SUM_BITS)

    def beside(self, work: Work) -> Each:
        return 0.0

    def outside(self, work: Work) -> Each:
        return work.products


class EventDriven(AbstractMachine):
    """A core that works for spikes only: each fetches a weight for every output, and adds it to a membrane beside it.

    It never multiplies: inputs are taken for spikes, x is |x| of them, rounded up. What it does in each step whether
    there are spikes or not, the update of its neurons, is booked with them.

    **Arguments:**

    - `memory`: Bytes on the chip. Weights of a model that does not fit come from outside, for each spike.
    - `membrane_bits`: Of a sum, read from a memory of 8 KiB and written at each spike; 0 where sums are in registers.

    >>> import jax.numpy as jnp, jax.random as jr, memsim as ms
    >>> model, spikes = ms.nn.Linear(64, 32, key=jr.key(0)), jnp.zeros((1, 64)).at[0, :8].set(1.0)
    >>> cost = ms.energy.digital(model, spikes, machine=ms.energy.EventDriven())
    >>> dense = ms.energy.digital(model, jnp.ones((1, 64)), machine=ms.energy.EventDriven())
    >>> print(f"{cost.joules.sum().item() / dense.joules.sum().item():.3f}")  # one input in eight spikes
    0.125
    """

    memory: float = eqx.field(default=1048576.0)  # pyright: ignore[reportIncompatibleMethodOverride]
    membrane_bits: int = eqx.field(static=True, converter=plain, default=16)

    def __check_init__(self):
        check(self, memory=positive("in bytes"), membrane_bits=whole(0, most=64))

    def multiplications(self, work: Work) -> Each:
        return 0.0

    def additions(self, work: Work) -> Each:
        return work.spikes * work.columns

    def instructions(self, work: Work) -> Each:
        return 0.0

    def fetched(self, work: Work) -> Each:
        return work.spikes * work.columns * work.bits

    def beside(self, work: Work) -> Each:
        return work.spikes * work.columns * 2 * self.membrane_bits

    def outside(self, work: Work) -> Each:
        return work.spikes * work.columns
