"""What the nine cores of Speck hold, and which layer goes to which core."""

from collections.abc import Iterator, Sequence
from math import ceil, log2
from typing import NamedTuple

from device_models import Sourced

from ...nn import Conv2d, Flatten, Linear, SumPool2d
from ...nn._synapses._pool import AbstractPool, AvgPool2d
from .._network._fit import Problem, Unfit
from .._network._stages import Stage

SHEET = "Yao2024, second-hand"
KERNELS = tuple(Sourced(1024.0 * n, "words", SHEET) for n in (16, 16, 16, 32, 32, 64, 64, 16, 16))
NEURONS = tuple(Sourced(1024.0 * n, "words", SHEET) for n in (64, 64, 64, 32, 32, 16, 16, 16, 16))
BIASES = Sourced(1024.0, "words", SHEET)
SIDE_IN, SIDE_OUT = Sourced(128.0, "pixels", SHEET), Sourced(64.0, "pixels", SHEET)
CHANNELS, SIDE_KERNEL = Sourced(1024.0, "1", SHEET), Sourced(16.0, "pixels", SHEET)
STRIDES = (1, 2, 4, 8)


class Geometry(NamedTuple):
    """A layer as a core sees it: (channels, height, width), kernel and stride."""

    inputs: tuple[int, int, int]
    outputs: tuple[int, int, int]
    kernel: tuple[int, int]
    stride: tuple[int, int]


class Words(NamedTuple):
    """Words of memory of a layer."""

    kernel: int
    neurons: int
    biases: int


class Row(NamedTuple):
    """The synapses of a layer, taken apart: a pool or none, and the layer without it."""

    pool: AbstractPool | None
    then: Stage


def row(layer: Stage) -> Row:
    """Raises `Unfit` for what is not one convolution, or one dense layer, perhaps after a pool."""
    layers = list(layer.row)
    pool = layers[0] if layers and isinstance(layers[0], SumPool2d | AvgPool2d) else None
    layers = layers if pool is None else layers[1:]
    layers = [each for each in layers if not isinstance(each, Flatten)]
    if len(layers) != 1 or not isinstance(layers[0], Conv2d | Linear):
        came = " and ".join(type(each).__name__ for each in layer.row) or "none"
        remedy = "Fold norms and scales into the weights, and put neurons between synapses."
        raise Unfit(layer.path, "one `Conv2d` or `Linear`, perhaps after one pool", came, remedy)
    shape = layer.input_shape if pool is None else pool.output_shape(layer.input_shape)
    assert shape is not None
    return Row(pool, Stage(layer.path, tuple(layers), layer.neuron, layer.recurrent, shape))


def geometry(layer: Stage) -> Geometry:
    """A dense layer is a convolution whose kernel is its whole input."""
    image = layer.input_shape
    shape = (image[0], image[1], image[2]) if len(image) == 3 else (layer.inputs, 1, 1)
    (kernel,) = layer.row
    if isinstance(kernel, Conv2d):
        channels, height, width = layer.neuron.shape
        size, stride = kernel.kernel_size, kernel.stride
        return Geometry(shape, (channels, height, width), (size[0], size[1]), (stride[0], stride[1]))
    return Geometry(shape, (layer.size, 1, 1), shape[1:], (1, 1))


def words(layer: Geometry) -> Words:
    """Addresses are made of whole bits, which rounds sizes up to powers of two."""
    (c, _, _), (f, h, w), (kx, ky) = layer.inputs, layer.outputs, layer.kernel
    return Words(c << (_bits(kx * ky) + _bits(f)), f << (_bits(h) + _bits(w)), f)


def _bits(n: int) -> int:
    return ceil(log2(n))


def problems_of(layer: Geometry, path: str) -> Iterator[Problem]:
    """The limits that a layer breaks on every core."""
    need, remedy = words(layer), "Pool, or make the layer smaller."
    sides = (
        (max(layer.inputs[1:]), SIDE_IN, "inputs"),
        (max(layer.outputs[1:]), SIDE_OUT, "outputs"),
        (max(layer.kernel), SIDE_KERNEL, "kernels"),
    )
    for side, limit, what in sides:
        if side > float(limit):
            yield Problem(path, f"{what} of at most {int(float(limit))} pixels a side", f"{side}", remedy)
    channels = max(layer.inputs[0], layer.outputs[0])
    if channels > float(CHANNELS):
        yield Problem(path, f"at most {int(float(CHANNELS))} channels", f"{channels}", remedy)
    if not set(layer.stride) <= set(STRIDES):
        yield Problem(path, f"strides of {', '.join(map(str, STRIDES))}", f"{layer.stride}", "Take one of these.")
    if not any(_holds(core, need) for core in range(len(KERNELS))):
        held = ", ".join(f"{int(k) // 1024} and {int(n) // 1024}" for k, n in sorted(set(_pairs())))
        came = f"{need.kernel} words of kernel and {need.neurons} of neurons"
        yield Problem(path, f"a core with room; they have {held} Ki words", came, remedy)


def cores_for(layers: Sequence[Geometry]) -> list[int] | None:
    """A core for each layer, no two the same; `None` where there is no such choice."""
    holder: dict[int, int] = {}

    def placed(layer: int, tried: set[int]) -> bool:
        for core in range(len(KERNELS)):
            if core in tried or not _holds(core, words(layers[layer])):
                continue
            tried.add(core)
            if core not in holder or placed(holder[core], tried):
                holder[core] = layer
                return True
        return False

    if not all(placed(layer, set()) for layer in range(len(layers))):
        return None
    return [next(core for core, held in holder.items() if held == layer) for layer in range(len(layers))]


def _holds(core: int, need: Words) -> bool:
    kernel, neurons = _pairs()[core]
    return need.kernel <= kernel and need.neurons <= neurons and need.biases <= float(BIASES)


def _pairs() -> list[tuple[float, float]]:
    return [(float(k), float(n)) for k, n in zip(KERNELS, NEURONS, strict=True)]
