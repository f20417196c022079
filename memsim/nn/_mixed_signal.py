"""Analog neurons: parameters that differ from device to device, and noise on every step."""

import dataclasses
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Key

from device_models import AbstractDevice
from device_models._draws import normal

from .._array import Crossbar
from .._checks import at_least, check, described, did_you_mean, is_zero, that, write
from ._layer import AbstractLayer
from ._neurons._neuron import AbstractNeuron, AbstractWrapped
from ._neurons._parameters import Converter, Positive, value
from ._synapses._synapse import AbstractAnalog

PERCENT = "Percent? Divide by 100."
NOISE = at_least(0.0, "in units of the input")
CrossbarDesigns = Crossbar | Callable[[str, AbstractAnalog], Crossbar | None]


class NeuronCircuit(eqx.Module):
    r"""The design of a layer of analog neurons.

    Every neuron's parameter is drawn once, at fabrication, around its nominal value $p$ with the relative standard
    deviation $\sigma$: $p\,e^{s z - s^2/2}$ with $s^2 = \ln(1 + \sigma^2)$ for one that must stay positive (mean $p$,
    standard deviation $\sigma p$), $p\,(1 + \sigma z)$ for another.

    **Arguments:**

    - `spread`: $\sigma$ of each parameter by name, such as `{"tau_mem": 0.2, "threshold": 0.1}`; a neuron without that
      parameter is left as it is.
    - `noise`: Standard deviation of the white noise added to the input current of each step, in units of the input.

    >>> import jax.numpy as jnp, jax.random as jr, memsim as ms
    >>> network = ms.nn.SpikingNetwork([ms.nn.Linear(3, 1000, key=jr.key(0)), ms.nn.LIF(1000, tau_mem=0.02)])
    >>> circuit = ms.nn.NeuronCircuit({"tau_mem": 0.2})
    >>> chip = ms.program(network, ms.nn.MixedSignal(neurons=circuit), key=jr.key(1))
    >>> tau = 1e3 * jnp.exp(chip.layers[1].tau_mem.log)
    >>> print(f"{tau.mean():.0f} +- {tau.std():.0f} ms")
    20 +- 4 ms
    """

    spread: Mapping[str, float | Float[Array, ""]] = eqx.field(default_factory=dict)
    noise: float | Float[Array, ""] = 0.0

    def __check_init__(self):
        relative = that("relative, in [0, 2), by the name of a parameter", lambda x: (x >= 0) & (x < 2), hint=PERCENT)
        check(self, spread=relative, noise=NOISE)

    def fabricate(self, neuron: AbstractNeuron, *, key: Key[Array, ""]) -> AbstractNeuron:
        """`neuron` as one chip has it, frozen."""
        names = deviable(neuron)
        for place, name in enumerate(sorted(names)):  # so that no parameter's draw hangs on which others deviate
            if name in self.spread:
                nominal, draw = getattr(neuron, name), jr.fold_in(key, place)
                actual = _deviated(nominal, self.spread[name], names[name], neuron.shape, draw)
                neuron = eqx.tree_at(lambda n, name=name: getattr(n, name), neuron, actual)
        # A traced noise level may be zero: whether there is noise must be known when tracing.
        if is_zero(self.noise):
            return neuron
        return NoisyNeuron(neuron, self.noise)  # pyright: ignore[reportCallIssue]


class NoisyNeuron(AbstractWrapped):
    """A `neuron` with white noise of standard deviation `noise` on the input current of each step; it needs a key.

    **Arguments:**

    - `neuron`: The neurons.
    - `noise`: In units of the input.

    >>> import jax.numpy as jnp, jax.random as jr, memsim as ms
    >>> neuron = ms.nn.NoisyNeuron(ms.nn.Integrator(1000), noise=0.1)
    >>> v, _ = neuron(jnp.ones(1000), neuron.initial_state(), key=jr.key(0))
    >>> print(f"{v.mean():.1f} +- {v.std():.1f}")
    1.0 +- 0.1
    """

    neuron: AbstractNeuron
    noise: float | Float[Array, ""]

    def __check_init__(self):
        check(self, noise=NOISE)

    def coefficients(self) -> Any:
        return self.neuron.coefficients(), value(self.noise)

    def update(
        self, coefficients: Any, current: Float[Array, "*shape"], state: Any, *, key: Key[Array, ""] | None = None
    ) -> Any:
        if key is None:
            raise ValueError("A noisy neuron needs `key=`. Got none. Pass a fresh key for each run.")
        inner, noise = coefficients
        noise_key, key = jr.split(key)
        current = current + noise * normal(noise_key, current.shape, current.dtype)
        return self.neuron.update(inner, current, state, key=key)

    def output(self, coefficients: Any, before: Any, after: Any) -> Float[Array, "*shape"]:
        return self.neuron.output(coefficients[0], before, after)


class MixedSignal(eqx.Module):
    """A whole chip's design, synapses and neurons; goes wherever a crossbar design goes.

    **Arguments:**

    - `synapses`: A `Crossbar`, or a function `path, layer -> Crossbar | None`; `None` leaves synapses digital.
    - `neurons`: A `NeuronCircuit`, or a function `path, neuron -> NeuronCircuit | None`; `None` leaves neurons ideal.

    >>> import jax.random as jr, device_models as dm, memsim as ms
    >>> network = ms.nn.SpikingNetwork([ms.nn.Linear(3, 4, key=jr.key(0)), ms.nn.LIF(4)])
    >>> design = ms.nn.MixedSignal(ms.Crossbar(dm.pcm_joshi2020()), ms.nn.NeuronCircuit({"tau_mem": 0.2}, noise=0.01))
    >>> [type(layer).__name__ for layer in ms.program(network, design, key=jr.key(1)).layers]
    ['Linear', 'NoisyNeuron']
    """

    synapses: CrossbarDesigns | None = None
    neurons: NeuronCircuit | Callable[[str, AbstractNeuron], NeuronCircuit | None] | None = None

    def __check_init__(self):
        _check_given("synapses", self.synapses, Crossbar)
        _check_given("neurons", self.neurons, NeuronCircuit)


Designs = CrossbarDesigns | MixedSignal


def check_designs(designs: Any) -> None:
    """Raises `ValueError` for what is neither a design nor a function that gives one."""
    if not isinstance(designs, MixedSignal):
        _check_given("crossbar", designs, Crossbar)


def _check_given(name: str, given: Any, kind: type) -> None:
    """Raises `ValueError` unless `given` is a design of this kind, a function that gives one, or `None`."""
    function = callable(given) and not isinstance(given, type | AbstractLayer) and not _made_by(given)
    if function:
        _check_takes_layer(name, given)
    if given is None or isinstance(given, kind) or function:
        return
    raise ValueError(
        f"`{name}` must be a {kind.__name__}, or a function `path, layer -> {kind.__name__} | None`. "
        f"Got {described(given)}. {design_hint(given)}"
    )


def _check_takes_layer(name: str, function: Any) -> None:
    """Raises `ValueError` for a function of designs that cannot be called with a layer's path and the layer."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # callables of other languages tell no signature
        return
    try:
        signature.bind(".path", None)
    except TypeError as error:
        raise ValueError(
            f"`{name}` must be a design, or a function that takes a layer's path and the layer, "
            f"`lambda path, layer: ...`. Got a function of `{signature}`."
        ) from error


def _made_by(function: Any) -> type | None:
    """The device or the design that a function such as `device_models.pcm_joshi2020` makes; `None` for others."""
    made = getattr(function, "__annotations__", {}).get("return")
    return made if isinstance(made, type) and issubclass(made, AbstractDevice | Crossbar) else None


def design_hint(given: Any) -> str:
    """What to write for a design, instead of something near to one."""
    if isinstance(given, Mapping):
        return "Designs by path go in a `PerLayer`: `memsim.nn.PerLayer({...})`."
    if isinstance(given, AbstractDevice):
        return "A device goes in a crossbar: `memsim.Crossbar(device)`."
    made = given if isinstance(given, type) else _made_by(given)
    if made is None:
        return "Such as `memsim.Crossbar(device)`."
    call = f"{given.__name__}(...)"
    return f"Make one of it: `{f'memsim.Crossbar({call})' if issubclass(made, AbstractDevice) else call}`."


def crossbar_of(designs: Designs, path: str, layer: AbstractAnalog) -> Crossbar | None:
    """The crossbar design of one synapse layer, `None` where it stays digital."""
    synapses = designs.synapses if isinstance(designs, MixedSignal) else designs
    if synapses is None or isinstance(synapses, Crossbar):
        return synapses
    return _given(synapses(path, layer), Crossbar, path)


def circuit_of(designs: Designs, path: str, neuron: AbstractNeuron) -> NeuronCircuit | None:
    """The circuit design of one neuron layer, `None` where it stays ideal."""
    neurons = designs.neurons if isinstance(designs, MixedSignal) else None
    if neurons is None or isinstance(neurons, NeuronCircuit):
        return neurons
    return _given(neurons(path, neuron), NeuronCircuit, path)


def with_neurons_ramped(designs: Designs, strength: Float[Array, ""]) -> Designs:
    """`designs` whose neurons have a share of their spread and noise."""
    if not isinstance(designs, MixedSignal) or designs.neurons is None:
        return designs

    def ramped(path: str, neuron: AbstractNeuron) -> NeuronCircuit | None:
        circuit = circuit_of(designs, path, neuron)
        if circuit is None:
            return None
        spread = {name: sigma * strength for name, sigma in circuit.spread.items()}
        return NeuronCircuit(spread, circuit.noise if is_zero(circuit.noise) else circuit.noise * strength)

    return MixedSignal(designs.synapses, ramped)


def _given(design: Any, kind: type, path: str) -> Any:
    """What a function of designs has given for the layer at `path`; raises `ValueError` for what is none."""
    if design is not None and not isinstance(design, kind):
        raise ValueError(
            f"A function of designs must give a {kind.__name__} or None for each layer. Got {described(design)} for "
            f"{path}."
        )
    return design


def check_spread(circuits: list[tuple[NeuronCircuit, AbstractNeuron]]) -> None:
    """Raises `ValueError` for a parameter that none of the neurons has."""
    known = {name for _, neuron in circuits for name in deviable(neuron)}
    for circuit, neuron in circuits:
        for name in circuit.spread:
            if not known:
                raise ValueError(
                    f"A parameter in `spread` must be a field of the neurons that is a float or an array of them. Got "
                    f"{name!r} for {type(neuron).__name__}, which has none."
                )
            if name not in known:
                raise ValueError(did_you_mean("A parameter in `spread`", name, known))


def deviable(neuron: AbstractNeuron) -> dict[str, bool]:
    """The parameters of a neuron that may differ from device to device: name -> whether it must stay positive."""
    if isinstance(neuron, NoisyNeuron):  # of one chip already
        return {}
    found = {}
    for field in dataclasses.fields(neuron):
        use, given = field.metadata.get("converter"), getattr(neuron, field.name)
        if isinstance(use, Converter):
            found[field.name] = use.positive
        elif not field.metadata.get("static") and (isinstance(given, float) or eqx.is_inexact_array(given)):
            found[field.name] = False
    return found


def _deviated(nominal: Any, sigma: Any, stays_positive: bool, shape: tuple[int, ...], key: Array) -> Positive | Array:
    z = normal(key, shape, value(nominal).dtype, kept=True)
    sigma = jnp.asarray(sigma, z.dtype)
    if not stays_positive:
        return jnp.broadcast_to(value(nominal), shape) * (1 + sigma * z)
    log = nominal.log if isinstance(nominal, Positive) else jnp.log(value(nominal))
    s2 = jnp.log1p(sigma**2)
    return Positive(jnp.broadcast_to(log, shape) + jnp.sqrt(s2) * z - s2 / 2)


DESIGNS = write(design_hint)
