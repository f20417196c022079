"""Neurogrid as a target."""

import math
from collections.abc import Iterator
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Key

from device_models import Sourced

from ..._checks import Checked, at_least, check, fraction, positive
from .._network._fit import Fit, Problem
from .._placing._chip import AbstractChip
from ._placed import PlacedPopulation, PlacedPopulations
from ._population import Population, decoders, fabricated
from ._rule import Soma

LIMITS = {
    "cores": Sourced(16.0, "1", "Benjamin2014"),
    "neurons": Sourced(65536.0, "1 a core", "Benjamin2014: 256 x 256"),
    "synapses": Sourced(4.0, "populations a core", "Benjamin2014; here two a dimension, which excite and inhibit"),
    "mismatch": Sourced(0.15, "1", "assumed: 0.1 to 0.2"),
}
MOST = {name: int(float(limit)) for name, limit in LIMITS.items()}
SOMA = Soma(tau=10e-3, refractory=1e-3, reset=0.0)
GAIN, BIAS = (
    0.8,
    0.9,
)  # nominal currents for a value of one and of zero: assumed, in units of which 0.5 makes neurons fire


def neurogrid(mismatch: float = float(LIMITS["mismatch"])) -> "Neurogrid":
    """Neurogrid, on which populations of neurons stand for values.

    - `mismatch`: Relative standard deviation of gains, constant currents and rheobases.

    >>> import memsim as ms
    >>> ms.chips.neurogrid().checked
    'assumed mismatch'
    """
    return Neurogrid(mismatch)


class Neurogrid(AbstractChip, Checked):
    """Neurogrid: quadratic integrate-and-fire neurons with shared synapses, for the Neural Engineering Framework.

    Synapses have one weight a type, so that no trained matrix can be put on it: `fits` refuses layers, and says why.
    What maps are `Population`s, one after the other. Each stands for a value by the currents that it drives into its
    neurons through taps and the arbor, and a function of the value is decoded from their spikes.

    **Arguments:**

    - `mismatch`: Relative standard deviation of gains, constant currents and rheobases: log-normal, drawn at
      deployment.
    - `arbor`: How far the resistive grid spreads an input, in neurons.
    - `dt`: Time step, in seconds.

    Reference: Benjamin2014.

    >>> import jax.random as jr, memsim as ms
    >>> network = ms.nn.SpikingNetwork([ms.nn.Linear(4, 8, key=jr.key(0)), ms.nn.LIF(8)])
    >>> bool(ms.chips.Neurogrid().fits(network)), bool(ms.chips.Neurogrid().fits(ms.chips.Population(256)))
    (False, True)
    """

    mismatch: float = eqx.field(static=True, default=float(LIMITS["mismatch"]))
    arbor: float = eqx.field(static=True, default=2.0)
    dt: float = eqx.field(static=True, default=1e-3)

    def __check_init__(self):
        short = positive("in seconds", most=SOMA.refractory, hint="Milliseconds? Multiply by 1e-3.")
        check(self, mismatch=fraction(one=False), arbor=at_least(0.1, "in neurons"), dt=short)

    @property
    def name(self) -> str:
        return "neurogrid"

    @property
    def checked(self) -> str:
        return "assumed mismatch"

    def fits(self, network: Any, *, input_shape: Any = None) -> Fit:
        """Whether `network`, a `Population` or several in a row, fits; all else is refused, with the reason."""
        populations = _as_populations(network)
        if populations is None:
            came = f"a {type(network).__name__}, whose layers have a weight for each synapse"
            remedy = (
                "All synapses of a type share one weight here. Write what layers compute as functions of "
                "`memsim.chips.Population`s, or choose a chip with a weight a synapse, such as `loihi1`."
            )
            must = "populations that encode and decode values"
            return Fit(self.name, (Problem("", must, came, remedy),), (), None)
        broken = tuple(_problems(populations))
        return Fit(self.name, broken, (), None if broken else _cores(populations))

    def deploy(
        self,
        network: Any,
        *,
        calibration: Any = None,
        key: Key[Array, ""] | None = None,
        input_shape: Any = None,
    ) -> PlacedPopulations:
        """The populations with the mismatch of one chip, and decoders that were found for it.

        **Arguments:**

        - `network`: A `Population`, or several, each with the values of the one before as its input.
        - `calibration`, `input_shape`: Not needed; other chips ask for them.
        - `key`: For what chance gives the chip.
        """
        fit = self.fits(network)
        populations = _as_populations(network)
        if not fit or populations is None:
            raise ValueError(str(fit))
        if key is None:
            raise ValueError("`key` must be given: it draws the chip's mismatch. Got None. Pass `jax.random.key(0)`.")
        parts = tuple(
            self._placed(each, part_key)
            for each, part_key in zip(populations, jr.split(key, len(populations)), strict=True)
        )
        return PlacedPopulations(parts, tau_out=populations[-1].tau_syn, target=self.name, checked=self.checked)

    def _placed(self, population: Population, key: Key[Array, ""]) -> PlacedPopulation:
        chip_key, sample_key = jr.split(key)
        neurons = fabricated(population, spread=self.mismatch, arbor=self.arbor, gain=GAIN, bias=BIAS, key=chip_key)
        return PlacedPopulation(
            neurons.encoders,
            neurons.bias,
            decoders(population, neurons, SOMA, key=sample_key),
            neurons.start,
            jnp.arange(population.neurons, dtype=jnp.int32) // MOST["neurons"],
            soma=SOMA,
            tau_syn=population.tau_syn,
            dt=self.dt,
            cores=math.ceil(population.neurons / MOST["neurons"]),
        )


def _as_populations(network: Any) -> tuple[Population, ...] | None:
    if isinstance(network, Population):
        return (network,)
    several = isinstance(network, list | tuple) and network and all(isinstance(each, Population) for each in network)
    return tuple(network) if several else None


def _problems(populations: tuple[Population, ...]) -> Iterator[Problem]:
    for place, each in enumerate(populations):
        path = f"[{place}]"
        most = MOST["synapses"] // 2
        if each.dimensions > most:
            remedy = "Give each part of the value a population of its own."
            yield Problem(path, f"at most {most} dimensions", f"{each.dimensions}", remedy)
        if place > 0 and populations[place - 1].outputs != each.dimensions:
            came = f"{populations[place - 1].outputs} from the one before"
            yield Problem(path, f"{each.dimensions} inputs", came, "Change its `dimensions`, or that function.")
    cores = _cores(populations)
    if cores > MOST["cores"]:
        yield Problem("", f"at most {MOST['cores']} cores", f"{cores}", "Use fewer neurons.")


def _cores(populations: tuple[Population, ...]) -> int:
    return sum(math.ceil(each.neurons / MOST["neurons"]) for each in populations)
