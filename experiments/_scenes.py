"""What an event camera sees: clothes that move at a speed or stand still, and recorded sets beside a scene at rest."""

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np

import memsim as ms

DT = 10e-3  # seconds of a step, and of a frame
STEPS = 30
SIDE, IMAGE = 20, 14  # pixels of the camera, and of an image before it
LEG = 10  # steps of a saccade: there, across, and back, as of N-MNIST's three
DIRECTIONS = ((1.0, 1.0), (1.0, -1.0), (-2.0, 0.0))  # of the legs, in units of half the speed
AT_REST, AS_RECORDED = 0.0, 1.0


class Scenes(NamedTuple):
    """Seconds of a step, splits of all speeds to learn from, and a test set for each speed."""

    dt: float
    splits: ms.data.Splits
    tests: dict[float, ms.data.Dataset]


@cache
def scenes(name: str, folder: Path | None, speeds: tuple[float, ...], noise_rate: float, most: int) -> Scenes:
    """Events of each step and pixel as 0 or 1, (n, steps, channels)."""
    if name != "clothes":
        return _recorded(name, folder, noise_rate, most)
    camera = ms.encoding.EventCamera(DT, noise_rate=noise_rate)
    moving = [speed for speed in speeds if speed > 0]
    parts = _parts(ms.data.fashion_mnist())
    parts = [part.take(np.arange(min(size, len(part)))) for part, size in zip(parts, _sizes(most), strict=True)]
    learnt = [_seen(part, np.resize(moving, len(part)), camera, place) for place, part in enumerate(parts[:2])]
    tests = {speed: _seen(parts[2], np.full(len(parts[2]), speed), camera, 2) for speed in speeds}
    return Scenes(DT, ms.data.Splits(*learnt, tests[moving[-1]]), tests)


def _seen(data: ms.data.Dataset, speeds: np.ndarray, camera: ms.encoding.EventCamera, place: int) -> ms.data.Dataset:
    images = data.inputs.reshape(len(data), 28, 28).astype(np.float32) / 255
    images = images.reshape(len(data), IMAGE, 2, IMAGE, 2).mean((2, 4))
    keys = jr.split(jr.fold_in(jr.key(2), place), len(data))
    each = jnp.asarray(images), jnp.asarray(speeds, jnp.float32), keys
    events = jax.lax.map(lambda one: _events(camera, *one), each, batch_size=64)
    return replace(data, inputs=np.asarray(events))


def _events(camera: ms.encoding.EventCamera, image, speed, key):
    """Of one image that moves in three legs, of which the last ends where the first began."""
    legs = jnp.repeat(jnp.asarray(DIRECTIONS), LEG, axis=0) * (0.5 * speed * DT)
    path = jnp.cumsum(legs, axis=0) - jnp.mean(jnp.cumsum(legs, axis=0), axis=0)
    grid = jnp.stack(jnp.meshgrid(jnp.arange(float(SIDE)), jnp.arange(float(SIDE)), indexing="ij"))
    middle = (SIDE - IMAGE) / 2

    def frame(shift):
        places = grid - middle - jnp.expand_dims(shift, (1, 2))
        return 0.1 + 0.8 * jax.scipy.ndimage.map_coordinates(image, list(places), order=1, mode="constant")

    events = camera(jax.vmap(frame)(path), key=key)
    return jnp.minimum(events, 1.0).reshape(STEPS, -1)


def _recorded(name: str, folder: Path | None, noise_rate: float, most: int) -> Scenes:
    """N-MNIST or gestures, an event or none in each step; at rest there is only noise."""
    read, size, dt = {
        "nmnist": (ms.data.nmnist, (SIDE, SIDE), DT),
        "dvs_gesture": (ms.data.dvs_gesture, (32, 32), 10 * DT),
    }[name]
    data = read(ms.data.Binning(dt, STEPS, binary=True), size=size, folder=folder).flattened()
    order, sets = np.random.default_rng(0), zip(_parts(data), _sizes(most), strict=True)
    parts = [part.take(order.permutation(len(part))[:some]) for part, some in sets]
    chance = noise_rate * dt / 2  # of each polarity
    noise = (order.uniform(size=parts[2].inputs.shape) < chance).astype(np.float32)
    still = replace(parts[2], inputs=noise)
    return Scenes(dt, ms.data.Splits(*parts), {AT_REST: still, AS_RECORDED: parts[2]})


def _parts(data: ms.data.Splits) -> tuple[ms.data.Dataset, ...]:
    return data.train, data.validation, data.test


def _sizes(most: int) -> tuple[int, int, int]:
    return most, max(10, most // 4), max(10, most // 4)
