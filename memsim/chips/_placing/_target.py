"""What every chip promises: whether a network fits, and the network on it."""

import warnings
from abc import abstractmethod
from collections.abc import Iterator
from typing import Any, NamedTuple

import equinox as eqx
import jax
from jaxtyping import Array, Key, Num

from ..._checks import check_finite_model
from ...nn._layer import Shape
from .._network._fit import Fit, Problem, Unfit
from .._network._stages import Habits, Stage, stages
from .._sums._quantised import Quantised
from ._chip import AbstractChip
from ._part import AbstractPart
from ._placed import Placed, check_spikes
from ._through import Through


class Conventions(NamedTuple):
    """What no two chips share, and a network must have been trained with.

    **Arguments:**

    - `fires`: At a membrane "at" its threshold, or only "above" it.
    - `reset`: To "zero", or the threshold is "subtract"ed.
    - `acts`: Steps after which a spike acts on the next layer.
    - `spikes`: The most that a neuron fires in one step; a chip with several fires on where a network has fired once.
    - `refractory`: The longest dead time after a spike, in steps.
    - `acts_first`: As `acts`, of the inputs of the network, where that is another.
    - `spikes_last`: As `spikes`, of the outputs of the network, where that is another.
    - `synaptic_current`: Whether all inputs pass through a synaptic current.

    >>> import memsim as ms
    >>> chip = ms.chips.loihi1().conventions
    >>> chip.fires, chip.reset, chip.acts, chip.spikes
    (('above',), ('zero',), 1, 1)
    """

    fires: tuple[str, ...]
    reset: tuple[str, ...]
    acts: int
    spikes: int
    refractory: int
    acts_first: int | None = None
    spikes_last: int | None = None
    synaptic_current: bool = False

    def acts_on(self, place: int) -> int:
        """Steps after which the inputs of the layer at `place` act."""
        return self.acts if place or self.acts_first is None else self.acts_first

    def of_outputs(self) -> "Conventions":
        """Those of the last layer."""
        return self if self.spikes_last is None else self._replace(spikes=self.spikes_last)


class Layers(NamedTuple):
    """A placed network before it is put together."""

    parts: tuple[AbstractPart, ...]
    quantised: tuple[Quantised, ...]


class AbstractTarget(AbstractChip):
    """A chip for spiking networks: limits, conventions, a quantiser, and its arithmetic.

    >>> import memsim as ms
    >>> [name for name, make in ms.chips.TARGETS.items() if not isinstance(make(), ms.chips.AbstractTarget)]
    ['loihi2_sigma_delta', 'brainscales2_vmm', 'neurogrid', 'akida']
    """

    @property
    @abstractmethod
    def conventions(self) -> Conventions:
        """What the chip does in its own way."""

    @property
    @abstractmethod
    def most_input(self) -> int:
        """The largest number of spikes an input has in one step."""

    @abstractmethod
    def problems(self, layers: tuple[Stage, ...]) -> Iterator[Problem]:
        """The limits that a network breaks."""

    @abstractmethod
    def cores(self, layers: tuple[Stage, ...]) -> int:
        """How many cores a network takes."""

    @abstractmethod
    def place(
        self,
        layers: tuple[Stage, ...],
        *,
        calibration: Num[Array, "batch steps *inputs"] | None,
        key: Key[Array, ""] | None,
    ) -> Layers:
        """The layers in the chip's numbers. May be traced: training through the chip runs it in each step."""

    def fits(self, network: Any, *, input_shape: int | Shape | None = None) -> Fit:
        """Whether `network` fits: every limit that it breaks, and every convention that the chip does not share.

        **Arguments:**

        - `network`: A `memsim.nn.SpikingNetwork`, trained here or read by `memsim.nir.from_nir`.
        - `input_shape`: Of one step, where the network does not know it.

        Raises `ValueError` for a network with NaN or infinite numbers, which would round to any whole one.
        """
        check_finite_model(network, "network")
        try:
            layers = stages(network, _as_shape(input_shape))
            broken = tuple(self.problems(layers))
            chip = [self.conventions] * (len(layers) - 1) + [self.conventions.of_outputs()]
            differing = tuple(
                each
                for layer, its in zip(layers, chip, strict=True)
                for each in other_conventions(layer, layer.habits(), its)
            )
            return Fit(self.name, broken, differing, None if broken else self.cores(layers))
        except Unfit as error:
            return Fit(self.name, (error.problem,), (), None)

    def deploy(
        self,
        network: Any,
        *,
        calibration: Num[Array, "batch steps *inputs"] | None = None,
        key: Key[Array, ""] | None = None,
        input_shape: int | Shape | None = None,
    ) -> Placed:
        """`network` in the chip's numbers, on its cores.

        **Arguments:**

        - `network`, `input_shape`: As of `fits`.
        - `calibration`: Recordings from which ranges are found, where a chip has ranges.
        - `key`: For what chance gives a chip, where it is modelled.

        Raises `ValueError` with all broken limits; warns of each convention in which chip and network differ.
        """
        fit = self.fits(network, input_shape=input_shape)
        if not fit:
            raise ValueError(str(fit))
        for each in fit.warnings:
            warnings.warn(f"{self.name}: {each}", stacklevel=2)
        return self.placed(network, calibration=calibration, key=key, input_shape=input_shape)

    def placed(
        self,
        network: Any,
        *,
        calibration: Num[Array, "batch steps *inputs"] | None = None,
        key: Key[Array, ""] | None = None,
        input_shape: int | Shape | None = None,
    ) -> Placed:
        """As `deploy`, for a network that is known to fit: nothing is judged, and weights may be traced."""
        layers = stages(network, _as_shape(input_shape))
        parts, quantised = self.place(layers, calibration=calibration, key=key)
        return Placed(
            parts,
            quantised,
            target=self.name,
            checked=self.checked,
            input_shape=layers[0].input_shape,
            most_input=self.most_input,
            waits=tuple(
                max(0, self.conventions.acts_on(place) - own_delay(layer.habits()))
                for place, layer in enumerate(layers)
            ),
        )

    def check_inputs(self, x: Any) -> None:
        """Raises `ValueError` for inputs that are no spikes, or more than the chip can take in a step."""
        check_spikes(x, self.name, self.most_input)

    def through(
        self, network: Any, *, key: Key[Array, ""] | None = None, input_shape: int | Shape | None = None
    ) -> Through:
        """`network` with the values of this chip and its own derivatives; `memsim.train.OnChip` trains it.

        - `input_shape`: Of one step, where the network does not know it.
        """
        frozen = jax.tree.map(lambda leaf: jax.lax.stop_gradient(leaf) if eqx.is_array(leaf) else leaf, network)
        layers = stages(network, _as_shape(input_shape))
        return Through(layers, self.placed(frozen, key=key, input_shape=input_shape))


def own_delay(habits: Habits) -> int:
    """Steps by which the network's own layer gives out its spikes late."""
    late = habits.firing is not None and habits.firing.emit == "old"
    return habits.synaptic_delay + late


def other_conventions(layer: Stage, habits: Habits, chip: Conventions) -> Iterator[Problem]:
    """In what a layer was trained to be otherwise than the `chip` is."""
    firing, path = habits.firing, layer.path
    if chip.synaptic_current and not habits.synaptic_current:
        yield Problem(path, "neurons with a synaptic current", "some without", "Train with `CuBaLIF` or `CuBaLI`.")
    if firing is None:
        return
    retrain = "Train with `memsim.train.OnChip(target)`, or change `firing`."
    fires = "at" if firing.at_threshold == "fires" else "above"
    if fires not in chip.fires:
        came = f"one that fires {fires} its threshold"
        yield Problem(path, f"a membrane that fires {chip.fires[0]} its threshold", came, retrain)
    if firing.reset not in chip.reset:
        yield Problem(path, f"a reset of {' or '.join(chip.reset)}", firing.reset, retrain)
    if firing.max_spikes > chip.spikes:
        yield Problem(path, f"at most {chip.spikes} spikes a step", str(firing.max_spikes), retrain)
    elif firing.max_spikes == 1 < chip.spikes:
        must = f"neurons that may fire up to {chip.spikes} times a step"
        yield Problem(path, must, "ones that fire once", retrain)
    if habits.refractory > chip.refractory:
        yield Problem(path, f"a refractory period of at most {chip.refractory} steps", str(habits.refractory), retrain)


def _as_shape(shape: int | Shape | None) -> Shape | None:
    return (shape,) if isinstance(shape, int) else shape
