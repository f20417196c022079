"""What a study of images on chips costs beside plain inferences, and how much memory it needs."""

from collections.abc import Iterator
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np

import device_models as dm
import memsim as ms
from _clock import Case, ratio
from _images import LeNet5
from memsim.study._chips import Workload
from memsim.study._on_chips import measured

IMAGES = 10_000  # of the study whose memory is asked for
TIMES = (0.0, 3600.0)
DAYS = tuple(86400.0 * n for n in range(8))


def image_study(config: Any) -> Iterator[Case]:
    """LeNet-5 with 8-bit converters on chips of PCM: `memsim.study.robustness` against inferences of plain Equinox."""
    plain, data = LeNet5(key=jr.key(0)), ms.data.fashion_mnist()
    model, xs = ms.nn.convert(plain), jnp.asarray(data.test.inputs)
    inference = eqx.filter_jit(lambda model, xs: jax.vmap(model)(xs))
    for reads in ("per_moment", "by_spectrum"):
        design = ms.Crossbar(dm.pcm_joshi2020(), dac=ms.DAC(8), adc=ms.ADC(8), reads=ms.Reads(reads))
        design = ms.calibrate(model, data.train.inputs[:100], design)
        work = Workload.of(data.test, TIMES, None, None)
        study = (lambda *arguments: measured(*arguments, chunk=1), model, design, work, jnp.arange(2), jr.key(1))
        each = ratio(study, (inference, plain, xs), config.rounds) / (2 * len(TIMES))
        yield Case(f"LeNet-5 on a chip at a time, noise {reads}, against plain", each, 3.0)
    needed = [mebibytes(model, design, times, chips) for times, chips in ((TIMES[:1], 1), (DAYS, 25))]
    yield Case(f"memory of {IMAGES} images on a chip at a time", needed[0], 1536.0, "MiB")
    yield Case(f"memory of {IMAGES} images on 25 chips at 8 times", needed[1], 1536.0, "MiB")


def mebibytes(model: Any, design: Any, times: tuple[float, ...], chips: int) -> float:
    """What the compiled study holds at once: temporary arrays, arguments and results."""
    images = np.zeros((IMAGES, 1, 28, 28), np.uint8)
    work = Workload.of((images, np.arange(IMAGES) % 10), times, None, None)
    lowered = measured.lower(model, design, work, jnp.arange(chips), jr.key(0), chunk=1)
    found = lowered.compile().compiled.memory_analysis()
    held = found.temp_size_in_bytes + found.argument_size_in_bytes + found.output_size_in_bytes
    return held / 2**20
