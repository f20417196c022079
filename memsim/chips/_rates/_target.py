"""What every chip for networks of continuous values promises."""

from abc import abstractmethod
from collections.abc import Iterator
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key, Num

from ..._checks import check_finite, check_finite_model, is_known
from ...nn._layer import Shape
from .._network._fit import Fit, Problem, Unfit
from .._placing._chip import AbstractChip
from .._sums._quantised import Quantised
from ._placed import AbstractRatePart, PlacedRates, check_sign
from ._stages import RateStage, rate_stages


class RateLayers(NamedTuple):
    """A placed network before it is put together; as in `PlacedRates`."""

    parts: tuple[AbstractRatePart, ...]
    quantised: tuple[Quantised, ...]
    input_unit: Float[Array, ""]
    unit: Float[Array, ""]
    rest: Float[Array, "..."]


class AbstractRateTarget(AbstractChip):
    """A chip for networks of continuous values: matrices, convolutions and pools with ReLUs between them.

    Such a network is an `equinox.nn.MLP`, an `equinox.nn.Sequential` or a `memsim.nn.SpikingNetwork` without neurons.

    >>> import memsim as ms
    >>> [name for name, make in ms.chips.TARGETS.items() if isinstance(make(), ms.chips.AbstractRateTarget)]
    ['loihi2_sigma_delta', 'brainscales2_vmm', 'akida']
    """

    @property
    @abstractmethod
    def inputs(self) -> tuple[int, int]:
        """The smallest and the largest input."""

    @abstractmethod
    def problems(self, stages: tuple[RateStage, ...]) -> Iterator[Problem]:
        """The limits that a network breaks."""

    @abstractmethod
    def cores(self, stages: tuple[RateStage, ...]) -> int:
        """How many cores a network takes."""

    @abstractmethod
    def place(
        self,
        stages: tuple[RateStage, ...],
        calibration: Float[Array, "samples inputs"],
        *,
        key: Key[Array, ""] | None,
    ) -> RateLayers:
        """The layers in the chip's numbers, with ranges from `calibration`. May be traced."""

    def fits(self, network: Any, *, input_shape: int | Shape | None = None) -> Fit:
        """Whether `network` fits: every limit that it breaks.

        **Arguments:**

        - `network`: Such as an `equinox.nn.MLP` with ReLUs.
        - `input_shape`: Of one input, where the network does not know it.

        Raises `ValueError` for a network with NaN or infinite numbers, which would round to any whole one.
        """
        check_finite_model(network, "network")
        try:
            stages, _ = rate_stages(network, _as_shape(input_shape))
            broken = tuple(self.problems(stages))
            return Fit(self.name, broken, (), None if broken else self.cores(stages))
        except Unfit as error:
            return Fit(self.name, (error.problem,), (), None)

    def deploy(
        self,
        network: Any,
        *,
        calibration: Num[Array, "samples *inputs"] | None = None,
        key: Key[Array, ""] | None = None,
        input_shape: int | Shape | None = None,
    ) -> PlacedRates:
        """`network` in the chip's numbers.

        **Arguments:**

        - `network`, `input_shape`: As of `fits`.
        - `calibration`: Inputs, from which the ranges of all layers are found.
        - `key`: For what chance gives a chip, where it is modelled.

        Raises `ValueError` with all broken limits, and without calibration.
        """
        fit = self.fits(network, input_shape=input_shape)
        if not fit:
            raise ValueError(str(fit))
        return self.placed(network, calibration=calibration, key=key, input_shape=input_shape)

    def placed(
        self,
        network: Any,
        *,
        calibration: Num[Array, "samples *inputs"] | None = None,
        key: Key[Array, ""] | None = None,
        input_shape: int | Shape | None = None,
    ) -> PlacedRates:
        """As `deploy`, for a network that is known to fit: nothing of it is judged, and weights may be traced."""
        stages, shape = rate_stages(network, _as_shape(input_shape))
        smallest, largest = self.inputs
        samples = _as_samples(calibration, shape, smallest, self.name)
        made = self.place(stages, samples, key=key)
        return PlacedRates(
            *made,
            target=self.name,
            checked=self.checked,
            input_shape=shape,
            smallest_input=smallest,
            largest_input=largest,
            relu=stages[-1].relu,
        )


def _as_samples(calibration: Any, shape: Shape, smallest: int, target: str) -> Float[Array, "samples inputs"]:
    if calibration is None:
        raise ValueError(
            f"`calibration` must be samples for {target}, which has ranges. Got None. Pass some inputs of the training."
        )
    samples = jnp.asarray(calibration, jnp.result_type(float))
    if samples.shape[1:] != shape or samples.size == 0:
        raise ValueError(
            f"`calibration` must be samples (samples, {', '.join(map(str, shape))}). Got shape {samples.shape}."
        )
    check_finite("calibration", samples)
    check_sign("calibration", samples, smallest, target)
    if is_known(samples) and not np.any(np.asarray(samples)):
        raise ValueError(f"`calibration` must have inputs other than zero: {target} has ranges from them. Got zeros.")
    return samples.reshape(samples.shape[0], -1)


def _as_shape(shape: int | Shape | None) -> Shape | None:
    return (shape,) if isinstance(shape, int) else shape
