"""What chips of spikes take: static power, a clock, and so much for each event."""

from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from device_models import Sourced

from .._checks import Checked, at_least, check, checked, did_you_mean, finite, fraction, is_known, judge, positive
from ..chips import Counts, Placed
from ..chips._loihi._part import Layer
from ..chips._sums._counts import COUNTED as OF_CORES
from ._periphery import Number

MEROLLA = "Merolla2014, at 0.8 V, from their sweep of rates, second-hand"
FRENKEL = "Frenkel2019, at 0.55 V, measured"
SANAFE = "Loihi's file of SANA-FE 2.2.9, of simulations before silicon"
DAVIES = "Davies2018, at 0.75 V, of simulations before silicon, second-hand"
TRUENORTH = {
    "static": Sourced(64.4e-3, "W", MEROLLA),
    "events": Sourced(2.30e-12, "J", f"{MEROLLA}: a synaptic event, on top of the static power"),
}
ODIN = {
    "static": Sourced(27.3e-6, "W", FRENKEL),
    "clock": Sourced(1.78e-12, "J", f"{FRENKEL}: a cycle"),
    "events": Sourced(8.43e-12, "J", f"{FRENKEL}: a synaptic operation"),
}
LOIHI = {
    "static": Sourced(104e-3, "W", "Davies2018, of a chip, measured, second-hand"),
    "events": Sourced(35.5e-12, "J", f"{SANAFE}: a synapse of a dense matrix"),
    "accesses": Sourced(51.2e-12, "J", f"{SANAFE}: a neuron, in every step"),
    "updates": Sourced(21.6e-12, "J", f"{SANAFE}: a neuron that has input or state"),
    "spikes": Sourced(69.3e-12, "J", SANAFE),
    "messages": Sourced(111e-12, "J", f"{SANAFE}: for each spike and core that it goes to"),
    "hops_east_west": Sourced(3.0e-12, "J", SANAFE),
    "hops_north_south": Sourced(4.2e-12, "J", SANAFE),
}


class EventPower(Checked):
    r"""$P = P_\mathrm{static} + f E_\mathrm{clk} + \sum_k r_k E_k$: a chip is never priced by its average.

    **Arguments:**

    - `events`: Joules of each kind of event.
    - `static`: In watts.
    - `clock`: Joules of one cycle.
    - `target`: Name of the chip, as of `memsim.chips`.

    >>> import memsim as ms
    >>> power = ms.energy.EventPower({"events": 10e-12}, static=1e-3)
    >>> list(power.events), power.static
    (['events'], 0.001)
    """

    events: dict[str, Number]
    static: Number = 0.0
    clock: Number = 0.0
    target: str = eqx.field(static=True, default="")

    def __check_init__(self):
        check(self, static=at_least(0.0, "in watts"), clock=at_least(0.0, "in joules"))
        for name, joules in self.events.items():
            judge(f"events[{name!r}]", joules, Number, at_least(0.0, "in joules"))

    @checked(clock=at_least(0.0, "in hertz"))
    def watts(self, rates: Mapping[str, Number], clock: Number = 0.0) -> Number:
        """Power at so many events of each kind a second, and a `clock` in hertz."""
        return self.static + clock * self.clock + self._of(rates)

    @checked(seconds=at_least(0.0, "in seconds"), cycles=at_least(0.0))
    def joules(self, counts: Mapping[str, Number], seconds: Number, cycles: Number = 0.0) -> Number:
        """Energy of so many events of each kind within some `seconds`, and `cycles` of the clock."""
        return self.static * seconds + cycles * self.clock + self._of(counts)

    def _of(self, numbers: Mapping[str, Number]) -> Number:
        for name, each in numbers.items():
            if name not in self.events:
                raise ValueError(did_you_mean("A kind of event", name, self.events))
            judge(f"the number of {name!r}", each, Number, at_least(0.0))
        return sum((each * self.events[name] for name, each in numbers.items()), start=0.0)


def _of_table(table: Mapping[str, Sourced], target: str) -> EventPower:
    prices = {name: float(number) for name, number in table.items()}
    return EventPower(
        events={name: joules for name, joules in prices.items() if name not in ("static", "clock")},
        static=prices.get("static", 0.0),
        clock=prices.get("clock", 0.0),
        target=target,
    )


def truenorth_merolla2014() -> EventPower:
    """TrueNorth at 0.8 V: 64.4 mW, and 2.30 pJ for each synaptic event.

    The 26 pJ that are quoted for an event are an average at 20 Hz, static power included.

    Reference: Merolla2014.

    >>> import memsim as ms
    >>> power = ms.energy.truenorth_merolla2014()
    >>> {kind: f"{1e12 * float(joules):.2f} pJ" for kind, joules in power.events.items()}
    {'events': '2.30 pJ'}
    """
    return _of_table(TRUENORTH, "truenorth")


def odin_frenkel2019() -> EventPower:
    """ODIN at 0.55 V, clocked.

    Reference: Frenkel2019.

    >>> import memsim as ms
    >>> power = ms.energy.odin_frenkel2019()
    >>> {kind: f"{1e12 * float(joules):.1f} pJ" for kind, joules in power.events.items()}
    {'events': '8.4 pJ'}
    """
    return _of_table(ODIN, "odin")


def loihi_sanafe() -> EventPower:
    """Loihi 1 as SANA-FE's file for it books events. The static power of a chip is that of Davies2018.

    Reference: Davies2018.

    >>> import memsim as ms
    >>> sorted(ms.energy.loihi_sanafe().events)
    ['accesses', 'events', 'hops_east_west', 'hops_north_south', 'messages', 'spikes', 'updates']
    """
    return _of_table(LOIHI, "loihi1")


COUNTED = (*OF_CORES, "accesses")
HOPS = ("hops_east_west", "hops_north_south")  # of Loihi, which `Counts` do not hold
POWERS = {"truenorth": truenorth_merolla2014, "odin": odin_frenkel2019, "loihi1": loihi_sanafe}


@checked(dt=positive("in seconds", most=1.0))
def of_counts(
    placed: Placed, counts: Counts, dt: float, *, power: EventPower | None = None
) -> dict[str, Float[Array, ""]]:
    """Joules by kind of what a network on a chip of `memsim.chips` did in all steps, and `static` ones.

    Hops between cores are not among its counts, nor booked.

    **Arguments:**

    - `placed`: The network on its chip.
    - `counts`: What `placed(x)` gave beside its outputs.
    - `dt`: Seconds of a step.
    - `power`: Prices; by default those published for the chip.

    **Raises:** `ValueError` for a chip without published prices, for prices of another one or of what is not counted,
    and for counts of another chip or network, or of a batch.

    >>> import jax.numpy as jnp, jax.random as jr, memsim as ms
    >>> neuron = ms.nn.CuBaLIF(3, firing=ms.nn.Firing(reset="zero"))
    >>> network = ms.nn.SpikingNetwork([ms.nn.Linear(4, 3, key=jr.key(0)), neuron])
    >>> placed = ms.chips.loihi1().deploy(network, input_shape=4)
    >>> spikes, counts = placed(jnp.ones((10, 4)))
    >>> sorted(ms.energy.of_counts(placed, counts, 1e-3))
    ['accesses', 'events', 'messages', 'spikes', 'static', 'updates']
    """
    if power is None:
        if placed.target not in POWERS:
            raise ValueError(
                f"A chip's events must have published prices. Got {placed.target!r}, which has none; they are known of "
                f"{', '.join(POWERS)}. Pass `power=EventPower(...)` with your own."
            )
        power = POWERS[placed.target]()
    if power.target not in ("", placed.target):
        raise ValueError(
            f"`power` must be that of the chip of the counts, {placed.target!r}. Got that of {power.target!r}."
        )
    _check_counts(placed, counts)
    _check_prices(power)
    steps = counts.events.shape[0]
    totals: dict[str, Any] = {name: jnp.sum(each).astype(float) for name, each in zip(OF_CORES, counts, strict=True)}
    sizes = [part.size for part in placed.parts if isinstance(part, Layer)]
    totals["accesses"] = jnp.asarray(float(steps * sum(sizes)))
    booked = {name: totals[name] * price for name, price in power.events.items() if name in totals}
    return booked | {"static": jnp.asarray(power.static * steps * dt)}


def _check_counts(placed: Placed, counts: Counts) -> None:
    if counts.target not in ("", placed.target):
        raise ValueError(
            f"`counts` must be those of `placed`, which is on {placed.target!r}. Got those of {counts.target!r}. Pass "
            "what this `placed(x)` gave beside its outputs."
        )
    cores = sum(part.cores for part in placed.parts)
    shapes = {jnp.shape(each) for each in counts}
    shape = jnp.shape(counts.events)
    if len(shapes) > 1 or len(shape) != 2 or shape[1] != cores:
        raise ValueError(
            f"`counts` must be those of `placed`, (steps, {cores}) of one recording. Got "
            f"{', '.join(map(str, sorted(shapes)))}. A batch? Use `jax.vmap(lambda each: of_counts(placed, each, dt))`."
        )
    if any(is_known(each) and np.any(np.asarray(each) < 0) for each in counts):
        raise ValueError("`counts` must be at least 0. Got negative ones. Pass what `placed(x)` gave beside outputs.")


def _check_prices(power: EventPower) -> None:
    for name in power.events:
        if name not in (*COUNTED, *HOPS):
            raise ValueError(did_you_mean("A kind of event in `power`", name, COUNTED, what="one that is counted"))
    if is_known(power.clock) and float(power.clock) > 0:
        raise ValueError(
            "`power` must have no energy of a clock, of which no cycles are counted. Got "
            f"clock={float(power.clock):g} J. Add `clock * cycles` yourself."
        )


@checked(
    clocked=positive("in watts"),
    event=positive("in joules"),
    overhead=positive("in units of the energy of an event"),
    gated=fraction(one=False),
    static_difference=finite("in watts"),
)
def crossover(
    clocked: Number, event: Number, *, overhead: Number = 1.0, gated: Number = 0.0, static_difference: Number = 0.0
) -> Number:
    r"""Events a second up to which an asynchronous core takes less power than a clocked one.

    $\lambda^* = ((1 - \gamma) P_\mathrm{clk} + \Delta P_\mathrm{static}) / (h E)$: what the clocked one takes at rest,
    over what a handshake adds to an event. Zero where the asynchronous one never takes less.

    **Arguments:**

    - `clocked`: Watts of the clock, and of looking at all neurons.
    - `event`: Joules of an event on either.
    - `overhead`: $h$, what handshakes add to an event, 0.5 to 2 of it (recalled).
    - `gated`: $\gamma$, the share of the clock that is switched off.
    - `static_difference`: Static watts of the clocked one, less those of the asynchronous.

    >>> import memsim as ms
    >>> round(float(ms.energy.crossover(1.78e-12 * 75e6, 8.43e-12)) / 1e6, 1)  # ODIN, in millions a second
    15.8
    """
    return jnp.maximum((clocked * (1 - gated) + static_difference) / (overhead * event), 0.0)
