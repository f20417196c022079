"""What the same network takes in digital arithmetic, with its data in memories."""

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, Key

from .._array import Chip
from .._checks import Checked, check, checked, plain, positive, whole, write
from ..nn import AbstractAnalog, analog_layers, neurons
from ..nn._calling import check_model, evaluating, is_network, measured
from ..nn._deploy import digital_weight
from ..nn._word_lines import SAMPLES, checked_samples
from ._nodes import NODE, SUPPLY, scaled_energy
from ._numbers import DIGITAL, HOROWITZ_NODE
from ._periphery import Periphery, sram_access

if TYPE_CHECKING:
    import xarray as xr

DIGITAL_COMPONENTS = ("arithmetic", "instructions", "on-chip memory", "off-chip memory", "neurons")
DIGITAL_MOVEMENT = ("on-chip memory", "off-chip memory")
SUM_BITS = 32
Each = float | Float[np.ndarray, " samples"]  # of each sample


class AbstractMachine(Checked):
    """Where a machine keeps its data, and how often it fetches them."""

    @abstractmethod
    def instructions(self, products: Each) -> Each:
        """How many it takes for so many multiplications."""

    @abstractmethod
    def fetched(self, rows: int, columns: int, bits: int, reads: Each) -> Each:
        """Bits into and out of the memory on the chip, for so many products of a vector with a matrix."""

    @abstractmethod
    def outside(self, rows: int, columns: int, reads: Each) -> Each:
        """Weights from the memory outside, for one sample, where those of the model do not fit on the chip."""

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
    """

    size: int = eqx.field(static=True, converter=plain, default=128)
    memory: float = eqx.field(default=1048576.0)  # pyright: ignore[reportIncompatibleMethodOverride]
    batch: int = eqx.field(static=True, converter=plain, default=1)

    def __check_init__(self):
        check(self, size=whole(1), memory=positive("in bytes"), batch=whole(1))

    def instructions(self, products: Each) -> Each:
        return 0.0

    def fetched(self, rows: int, columns: int, bits: int, reads: Each) -> Each:
        blocks_of_rows, blocks_of_columns = -(-rows // self.size), -(-columns // self.size)
        inputs, sums = rows * blocks_of_columns, columns * (2 * blocks_of_rows - 1)
        return reads * (inputs * bits + sums * SUM_BITS) + rows * columns * bits / self.batch

    def outside(self, rows: int, columns: int, reads: Each) -> Each:
        return rows * columns / self.batch


class Processor(AbstractMachine):
    """A processor that fetches both operands of each multiplication from its cache, and decodes an instruction for it.

    **Arguments:**

    - `memory`: Bytes of its cache. Weights of a model that does not fit come from outside for each product of a vector.
    """

    memory: float = eqx.field(default=32768.0)  # pyright: ignore[reportIncompatibleMethodOverride]

    def __check_init__(self):
        check(self, memory=positive("in bytes"))

    def instructions(self, products: Each) -> Each:
        return products

    def fetched(self, rows: int, columns: int, bits: int, reads: Each) -> Each:
        return reads * (2 * rows * columns * bits + columns * SUM_BITS)

    def outside(self, rows: int, columns: int, reads: Each) -> Each:
        return reads * (rows * columns)


ARRAY = Systolic()
MACHINE = write("Such as `ms.energy.Systolic()`.")


@checked(xs=SAMPLES, bits=whole(1, most=64), node=NODE, v_dd=SUPPLY, machine=MACHINE)
def digital(
    model: Any,
    xs: Any,
    *,
    bits: int = 8,
    node: float = 28e-9,
    v_dd: float = 0.9,
    machine: AbstractMachine = ARRAY,
    key: Key[Array, ""] | None = None,
) -> "xr.Dataset":
    """What the matrices of a digital `model` take for each sample, by layer: arithmetic, and moving data.

    A multiplication grows as the square of the bits, a sum with them, from Horowitz2014, scaled to the `node`; memory
    by size. A data set as of `of`, so that `report` and `plotting.energy` take both. Neurons are updated as the digital
    ones of `of`; biases, activations and norms are not counted. The share of data movement is an outcome: it depends on
    the machine, the memory and the batch.

    **Arguments:**

    - `model`: A model with layers of `memsim.nn`, digital.
    - `xs`: A batch of samples.
    - `bits`: Of weights and inputs; sums have 32.
    - `node`, `v_dd`: Technology in metres, supply in volts.
    - `machine`: `Systolic()` or `Processor()`.
    - `key`: For a model that draws.

    Reference: Horowitz2014.
    """
    check_model(model)
    layers = analog_layers(model)
    if not layers or any(isinstance(layer.weight, Chip) for layer in layers.values()):
        raise ValueError(
            "`model` must have digital layers that multiply by a matrix. Got none, or some on chips. "
            "`ms.nn.convert(model)` makes such layers of those of `equinox.nn`."
        )
    model = evaluating(model)
    xs = checked_samples(model, xs)
    reads = np.asarray(_reads(model, xs, key), float)
    found = np.zeros((*reads.shape, len(DIGITAL_COMPONENTS)))
    shapes = [digital_weight(path, layer).shape[::-1] for path, layer in layers.items()]
    multiply = scaled_energy(float(DIGITAL["multiply_32"]), HOROWITZ_NODE, node, v_dd) * (bits / 32) ** 2
    add = scaled_energy(float(DIGITAL["add_32"]), HOROWITZ_NODE, node, v_dd)
    instruction = scaled_energy(float(DIGITAL["instruction"]), HOROWITZ_NODE, node, v_dd)
    access, dram = sram_access(machine.memory, node, v_dd) / 64, float(DIGITAL["dram"]) / 64
    fits = sum(rows * columns for rows, columns in shapes) * bits / 8 <= machine.memory
    for place, (rows, columns) in enumerate(shapes):
        products = reads[:, place] * rows * columns
        found[:, place, 0] = products * (multiply + add)
        found[:, place, 1] = machine.instructions(products) * instruction
        found[:, place, 2] = machine.fetched(rows, columns, bits, reads[:, place]) * access
        found[:, place, 3] = 0.0 if fits else machine.outside(rows, columns, reads[:, place]) * bits * dram
    sizes = {path: int(np.prod(neuron.shape)) for path, neuron in neurons(model).items()}
    updates = np.asarray(list(sizes.values()), float) * (xs.shape[1] if is_network(model) else 1)
    found = np.concatenate([found, np.zeros((len(reads), len(sizes), len(DIGITAL_COMPONENTS)))], axis=1)
    found[:, len(layers) :, 4] = updates * float(Periphery(node=node, v_dd=v_dd).neuron_update)
    reads, shapes = np.pad(reads, [(0, 0), (0, len(sizes))]), [*shapes, *[(0, 0)] * len(sizes)]
    return _as_dataset(found, reads, [*layers, *sizes], shapes, {"node": node, "v_dd": float(v_dd)})


def _as_dataset(found: np.ndarray, reads: np.ndarray, layers: list[str], shapes: list, attrs: dict) -> "xr.Dataset":
    import xarray as xr

    names = ("add_32", "instruction", "sram", "dram", "sram")
    sources = [DIGITAL[name].where for name in names]
    weak = [", ".join(word for word in ("recalled", "assumed") if word in source) for source in sources]
    result = xr.Dataset(
        {
            "joules": (("sample", "layer", "component"), found),
            "reads": (("sample", "layer"), reads),
            "multiplications": ("layer", [float(rows * columns) for rows, columns in shapes]),
            "source": ("component", sources),
            "assumed": ("component", weak),
        },
        {"layer": layers, "component": list(DIGITAL_COMPONENTS)},
        attrs,
    )
    result["joules"].attrs["units"] = "J"
    return result


@eqx.filter_jit
def _reads(model: Any, xs: Array, key: Key[Array, ""] | None) -> Float[Array, "samples layers"]:
    """How often each layer's matrix is multiplied by a vector."""
    layers = analog_layers(model)

    def counting(layer: AbstractAnalog) -> Any:
        def count(x: Array) -> tuple[Array]:
            reads = float(jax.eval_shape(layer.word_lines, x).shape[0])
            first = jnp.ravel(x)[0]
            return (jnp.where(first == 0, reads, reads),)  # as many as there are inputs along mapped axes

        return count

    def one(x: Array, key: Array | None) -> Array:
        _, found = measured(model, x, key, {path: counting(layer) for path, layer in layers.items()})
        return jnp.stack([found.get(path, (jnp.zeros(()),))[0] for path in layers])

    return jax.vmap(one)(xs, None if key is None else jr.split(key, xs.shape[0]))
