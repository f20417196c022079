"""What the same network takes in digital arithmetic, with its data in memories."""

from typing import TYPE_CHECKING, Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, Key

from .._array import Chip
from .._checks import checked, whole, write
from ..nn import AbstractAnalog, analog_layers, neurons
from ..nn._calling import check_model, evaluating, is_network, measured
from ..nn._deploy import digital_weight
from ..nn._word_lines import SAMPLES, checked_samples
from ._machines import AbstractMachine, Systolic, Work
from ._nodes import NODE, SUPPLY, scaled_energy, supply_told
from ._numbers import DIGITAL, HOROWITZ_NODE
from ._periphery import BESIDE, Periphery, size_told, sram_access

if TYPE_CHECKING:
    import xarray as xr

DIGITAL_COMPONENTS = ("arithmetic", "instructions", "on-chip memory", "off-chip memory", "neurons")
DIGITAL_MOVEMENT = ("on-chip memory", "off-chip memory")
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
    - `machine`: `Systolic()`, `Processor()`, or `EventDriven()`, for which inputs are spikes.
    - `key`: For a model that draws.

    Reference: Horowitz2014.

    >>> import jax.numpy as jnp, jax.random as jr, memsim as ms
    >>> model = ms.nn.Linear(64, 32, key=jr.key(0))
    >>> cost = ms.energy.digital(model, jnp.ones((2, 64)), bits=8)
    >>> cost.joules.dims, f"{1e9 * cost.joules.isel(sample=0).sum().item():.1f} nJ"
    (('sample', 'layer', 'component'), '14.5 nJ')
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
    reads, spikes = np.moveaxis(np.asarray(_counted(model, xs, key), float), -1, 0)
    shapes = [digital_weight(path, layer).shape[::-1] for path, layer in layers.items()]
    counts = zip(shapes, reads.T, spikes.T, strict=True)
    work = [Work(rows, columns, bits, read, spike) for (rows, columns), read, spike in counts]
    sizes = {path: int(np.prod(neuron.shape)) for path, neuron in neurons(model).items()}
    steps = xs.shape[1] if is_network(model) else 1
    update = steps * float(Periphery(node=node, v_dd=v_dd).neuron_update)
    none = np.zeros(len(reads))
    parts = [*_of_layers(work, machine, node, v_dd), *[[none] * 4 + [none + size * update] for size in sizes.values()]]
    counted = {name: np.pad(each, [(0, 0), (0, len(sizes))]) for name, each in (("reads", reads), ("spikes", spikes))}
    attrs = {"node": node, "v_dd": float(v_dd), "memory": float(machine.memory)}
    shapes = [*shapes, *[(0, 0)] * len(sizes)]
    return _as_dataset(np.asarray(parts, float).transpose(2, 0, 1), counted, [*layers, *sizes], shapes, attrs)


def _of_layers(work: list[Work], machine: AbstractMachine, node: float, v_dd: float) -> list[list[np.ndarray]]:
    """Joules of each layer, by component, of each sample."""

    def here(name: str) -> float:
        return float(scaled_energy(float(DIGITAL[name]), HOROWITZ_NODE, node, v_dd))

    bits = work[0].bits
    multiply, add = here("multiply_32") * (bits / 32) ** 2, here("add_32")
    access, small = (float(sram_access(size, node, v_dd)) / 64 for size in (machine.memory, BESIDE))
    dram = float(DIGITAL["dram"]) / 64
    fits = sum(each.rows * each.columns for each in work) * bits / 8 <= machine.memory
    found = []
    for each in work:
        parts = (
            machine.multiplications(each) * multiply + machine.additions(each) * add,
            machine.instructions(each) * here("instruction"),
            machine.fetched(each) * access + machine.beside(each) * small,
            0.0 if fits else machine.outside(each) * bits * dram,
            0.0,
        )
        found.append([np.broadcast_to(part, np.shape(each.reads)) for part in parts])
    return found


def _as_dataset(
    found: np.ndarray, counts: dict[str, np.ndarray], layers: list[str], shapes: list, attrs: dict
) -> "xr.Dataset":
    import xarray as xr

    names = ("add_32", "instruction", "sram", "dram", "sram")
    sources = [DIGITAL[name].where for name in names]
    weak = [[word for word in ("recalled", "assumed") if word in source] for source in sources]
    weak[2] += size_told(attrs["memory"])
    for place in (0, 1, 2, 4):  # a memory outside has its own node and supply
        weak[place] += supply_told(attrs["v_dd"])
    result = xr.Dataset(
        {
            "joules": (("sample", "layer", "component"), found),
            **{name: (("sample", "layer"), each) for name, each in counts.items()},
            "multiplications": ("layer", [float(rows * columns) for rows, columns in shapes]),
            "source": ("component", sources),
            "assumed": ("component", [", ".join(each) for each in weak]),
        },
        {"layer": layers, "component": list(DIGITAL_COMPONENTS)},
        attrs,
    )
    result["joules"].attrs["units"] = "J"
    return result


@eqx.filter_jit
def _counted(model: Any, xs: Array, key: Key[Array, ""] | None) -> Float[Array, "samples layers 2"]:
    """How often each layer's matrix is multiplied by a vector, and the spikes on its rows, of a group their mean."""
    layers = analog_layers(model)

    def counting(path: str, layer: AbstractAnalog) -> Any:
        rows = digital_weight(path, layer).shape[1]

        def count(x: Array) -> tuple[Array, Array]:
            lines = layer.word_lines(x)
            spikes = jnp.sum(jnp.ceil(jnp.abs(lines)), dtype=float) * (rows / lines.shape[1])
            # as many reads as there are inputs along mapped axes
            return jnp.where(spikes == 0, float(lines.shape[0]), float(lines.shape[0])), spikes

        return count

    def one(x: Array, key: Array | None) -> Array:
        none = (jnp.zeros(()),) * 2
        _, found = measured(model, x, key, {path: counting(path, layer) for path, layer in layers.items()})
        return jnp.stack([jnp.stack(found.get(path, none)) for path in layers])

    return jax.vmap(one)(xs, None if key is None else jr.split(key, xs.shape[0]))
