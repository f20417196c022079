r"""A sliding kernel and its two gradients, each as a convolution that is fast wherever it stands.

The number $\sum y\,\mathrm{slide}(x, w)$ is linear in each of the image $x$, the weights $w$ and the outputs $y$. Two
of them give what stands beside the third: `slide` itself, or a gradient of it. These three faces are each other's
transposes, so that gradients of gradients stay among them.

XLA's CPU backend brings a convolution into the form of its fast kernels, channels last, at the top of a program only.
Within a loop (chips of a study, steps of a training, chunks of a sequence) others take 5 to 40 times as long, and so do
the gradients that XLA makes of any. Here all three are of that form from the start.
"""

from functools import partial
from math import prod
from typing import Any, Literal

import jax
import jax.numpy as jnp
from jax import lax
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir
from jaxtyping import Array, Float

from ._patches import Slide, in_patches

Part = Literal["x", "weight", "y"]
GIVEN: dict[Part, tuple[Part, Part]] = {"y": ("x", "weight"), "x": ("weight", "y"), "weight": ("x", "y")}
BLOCK = 2**19  # bytes of images and outputs that a gradient of weights sums over at a time: they stay in a core's cache


def slid(
    how: Slide, x: Float[Array, "n *spatial channels"], weight: Float[Array, "rows columns"]
) -> Float[Array, "n *_ columns"]:
    """What each patch of `x` makes of a matrix whose rows are (channel, element of the kernel).

    Columns fall into `how.groups`, each of which meets its own share of the channels.
    """
    return _face("y", how, x.shape[1:], x, weight)


def _face(gives: Part, how: Slide, image: tuple[int, ...], a: Array, b: Array) -> Array:
    """The face that `gives` one part, of the two others; `image` is the shape of one image of `x`."""
    return face_p.bind(a, b, gives=gives, how=how, image=image)


def _computed(a: Array, b: Array, *, gives: Part, how: Slide, image: tuple[int, ...]) -> Array:
    if how.groups > 1 and gives != "y":
        return _of_patches(a, b, gives=gives, how=how, image=image)
    return {"y": _outputs, "x": _images, "weight": _weights}[gives](how, image, a, b)


def _outputs(how: Slide, image: tuple[int, ...], x: Array, weight: Array) -> Array:
    kernel = _kernel(how, weight)
    return _convolution(x, kernel, how.step, how.around, how.spread, how.dilation, how.groups)


def _images(how: Slide, image: tuple[int, ...], weight: Array, y: Array) -> Array:
    """The kernel the other way round, over outputs that are `step` apart."""
    kernel = jnp.swapaxes(jnp.flip(_kernel(how, weight), range(len(how.kernel))), -1, -2)
    pads = []
    for place, size in enumerate(image[:-1]):
        reach = (how.kernel[place] - 1) * how.dilation[place]
        before = reach - how.around[place][0]
        outputs = (y.shape[1 + place] - 1) * how.step[place] + 1
        pads.append((before, (size - 1) * how.spread[place] + 1 + reach - outputs - before))
    return _convolution(y, kernel, how.spread, tuple(pads), how.step, how.dilation)


def _weights(how: Slide, image: tuple[int, ...], x: Array, y: Array) -> Array:
    """Outputs as a kernel over images, with what there are many of, the images, as channels; a block at a time."""
    bytes_of_one = x.dtype.itemsize * (prod(image) + prod(y.shape[1:]))
    blocks = max(1, round(x.shape[0] * bytes_of_one / BLOCK))
    size = -(-x.shape[0] // blocks)
    if blocks == 1:
        return _weights_of_block(how, image, x, y)
    missing = blocks * size - x.shape[0]
    parts = [jnp.pad(a, [(0, missing), *[(0, 0)] * (a.ndim - 1)]).reshape(blocks, size, *a.shape[1:]) for a in (x, y)]

    def added(total: Array, part: list[Array]) -> tuple[Array, None]:
        return total + _weights_of_block(how, image, *part), None

    start = jnp.zeros((image[-1] * len(how.elements), y.shape[-1]), x.dtype)
    return lax.scan(added, start, parts)[0]


def _weights_of_block(how: Slide, image: tuple[int, ...], x: Array, y: Array) -> Array:
    pads = []
    for place, size in enumerate(image[:-1]):
        reach = (how.kernel[place] - 1) * how.dilation[place] + (y.shape[1 + place] - 1) * how.step[place] + 1
        before = how.around[place][0]
        pads.append((before, reach - (size - 1) * how.spread[place] - 1 - before))
    images, outputs = jnp.swapaxes(x, 0, -1), jnp.moveaxis(y, 0, -2)
    found = _convolution(images, outputs, how.dilation, tuple(pads), how.spread, how.step)
    return found.reshape(-1, y.shape[-1])


def _kernel(how: Slide, weight: Float[Array, "rows columns"]) -> Float[Array, "*kernel channels columns"]:
    return jnp.moveaxis(weight.reshape(-1, *how.kernel, weight.shape[1]), 0, -2)


def _convolution(
    x: Array, kernel: Array, step: Any, around: Any, spread: Any, dilation: Any, groups: int = 1
) -> Float[Array, "n *_ columns"]:
    rank = len(step)
    last = lax.ConvDimensionNumbers(
        (0, rank + 1, *range(1, rank + 1)), (rank + 1, rank, *range(rank)), (0, rank + 1, *range(1, rank + 1))
    )
    return lax.conv_general_dilated(x, kernel, step, around, spread, dilation, last, feature_group_count=groups)


def _of_patches(a: Array, b: Array, *, gives: Part, how: Slide, image: tuple[int, ...]) -> Array:
    """The same by a plain product with what each patch holds, which goes with any mapped axes."""
    # Patches are many times the input: a backward pass makes them again.
    product = jax.checkpoint(partial(in_patches, how))
    if gives == "y":
        return product(a, b)
    if gives == "x":
        start = jax.ShapeDtypeStruct((b.shape[0], *image), b.dtype)
        return jax.linear_transpose(lambda x: product(x, a), start)(b)[0]
    start = jax.ShapeDtypeStruct((image[-1] // how.groups * len(how.elements), b.shape[-1]), a.dtype)
    return jax.linear_transpose(lambda weight: product(a, weight), start)(b)[0]


def _transposed(
    place: int, cotangent: Any, a: Any, b: Any, *, gives: Part, how: Slide, image: tuple[int, ...]
) -> Array:
    """The cotangent of the operand at `place`, by the face that gives it."""
    wanted, kept = GIVEN[gives][place], GIVEN[gives][1 - place]
    known = {gives: cotangent, kept: (a, b)[1 - place]}
    return _face(wanted, how, image, *(known[part] for part in GIVEN[wanted]))


def _mapped(operands: Any, axes: Any, *, gives: Part, how: Slide, image: tuple[int, ...]) -> tuple[Array, int]:
    """Over a mapped axis of images and their outputs, which joins theirs; over one of weights, by patches."""
    first, second = GIVEN[gives]
    if gives == "weight" or axes[(first, second).index("weight")] is not None:
        return jax.vmap(partial(_of_patches, gives=gives, how=how, image=image), axes)(*operands), 0
    place = 1 - (first, second).index("weight")
    many = jnp.moveaxis(operands[place], axes[place], 0)
    flat = [*operands]
    flat[place] = many.reshape(-1, *many.shape[2:])
    found = _face(gives, how, image, *flat)
    return found.reshape(*many.shape[:2], *found.shape[1:]), 0


face_p = Primitive("slide")
face_p.def_impl(jax.jit(_computed, static_argnames=("gives", "how", "image")))


@face_p.def_abstract_eval
def _(a: Any, b: Any, **params: Any) -> Any:
    found = jax.eval_shape(partial(_computed, **params), *(jax.ShapeDtypeStruct(x.shape, x.dtype) for x in (a, b)))
    return a.update(shape=found.shape, dtype=found.dtype, weak_type=False)


mlir.register_lowering(face_p, mlir.lower_fun(_computed, multiple_results=False))
ad.defbilinear(face_p, partial(_transposed, 0), partial(_transposed, 1))
batching.primitive_batchers[face_p] = _mapped
