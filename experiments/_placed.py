"""One trained network on every kind of machine: what it is worth there, joules, latency, area."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax.numpy as jnp
import jax.random as jr
import numpy as np
import xarray as xr
from jaxtyping import Array, Float, Key

import memsim as ms

ARRAYS = {"PCM": "hermes", "RRAM": "neurram", "SONOS": "sonos"}
DIGITAL = {
    "systolic": ms.energy.Systolic,
    "processor": ms.energy.Processor,
    "event-driven core": ms.energy.EventDriven,
}
CHIPS = {
    "Loihi": "loihi1",
    "TrueNorth": "truenorth",
    "SpiNNaker 2": "spinnaker2",
    "Xylo": "xylo_audio3",
    "Xylo IMU": "xylo_imu",
    "Speck": "speck",
}
MACHINES = (*ARRAYS, *DIGITAL, *CHIPS)
PRICED = ("loihi1", "truenorth")  # whose events have published prices
CALIBRATION = 200  # recordings of the training, of which converters take their ranges
OTHERS = ("arithmetic", "instructions", "on-chip memory", "synapses", "routing", "static")
COMPONENTS = (*ms.energy.COMPONENTS, *OTHERS)
OF_EVENTS = {
    "events": "synapses",
    "accesses": "neurons",
    "updates": "neurons",
    "spikes": "neurons",
    "messages": "routing",
    "static": "static",
}
LABELS = {
    "joules": ("J", "energy of a recording"),
    "latency": ("s", "of a recording, if steps follow each other"),
    "answer": ("s", "from the last step of a recording to its answer"),
    "square_metres": ("m^2", "area of arrays, converters, drivers and buffers"),
    "events": ("1", "synapses that spikes reach in a recording"),
}


class Task(NamedTuple):
    """What a network is asked, and what is around it.

    **Arguments:**

    - `dt`: Seconds of a step of the signal: chips of spikes take a step in each, and stand still for the rest of it.
    - `metrics`: As of `memsim.train.evaluate`, by name, or functions; the first is what tables show.
    - `scores`: As there.
    - `chips`: Arrays that are made of the network, each judged; `None` for the one whose energy is measured.
    - `time`: Seconds after programming at which they are read.
    - `nanometres`: The technology node of what is around arrays, and of digital machines.
    - `calibrated`: Whether converters take their ranges from recordings of the training.
    """

    dt: float
    metrics: tuple[Any, ...] = ("accuracy",)
    scores: Callable[..., Array] | None = None
    chips: int | None = None
    time: float = 0.0
    nanometres: int = 28
    calibrated: bool = True

    @property
    def node(self) -> float:
        return self.nanometres * 1e-9

    @property
    def names(self) -> tuple[str, ...]:
        """Of the metrics."""
        return tuple(each if isinstance(each, str) else each.__name__ for each in self.metrics)

    def judged(self, model: Any, data: ms.data.Dataset, *, key: Key[Array, ""] | None = None) -> dict[str, Any]:
        """The metrics of one model, digital or deployed, of which all chips are alike."""
        found = ms.train.evaluate(model, data, self.metrics, scores=self.scores, key=key)
        return {name: ("chip", [float(value)] * (self.chips or 1)) for name, value in found.items()}


def check_machines(names: tuple[str, ...], known: tuple[str, ...] = MACHINES) -> None:
    """Raises `ValueError` for machines that are not among the `known`."""
    for name in names:
        if name not in known:
            raise ValueError(f"`machines` must be of {', '.join(known)}. Got {name}.")


def on_machine(
    machine: str, model: Any, data: ms.data.Splits, xs: Float[Array, "n steps *inputs"], task: Task, *, key: Key
) -> xr.Dataset:
    """A trained `model` on one machine; `xs` are what its energy is measured of."""
    if machine in ARRAYS:
        return on_array(design_of(machine), model, data, xs, task, key=key)
    if machine in DIGITAL:
        cost = ms.energy.digital(model, xs, node=task.node, machine=DIGITAL[machine]())
        return as_row(cost.joules, task.judged(model, data.test))
    return on_chip(ms.chips.target(CHIPS[machine]), model, data, xs, task, key=key)


def on_array(
    design: ms.Crossbar,
    model: Any,
    data: ms.data.Splits,
    xs: Float[Array, "n steps *inputs"],
    task: Task,
    *,
    key: Key[Array, ""],
) -> xr.Dataset:
    """On arrays of a design: the energy of one chip, and what all of `task.chips` are worth."""
    designs = ranged(design, model, data, task)
    program_key, read_key = jr.split(key)
    chip, around = ms.program(model, designs, key=program_key), ms.energy.Periphery(node=task.node)
    cost = ms.energy.of(chip, xs, t=task.time, periphery=around, key=read_key)
    if task.chips is None:
        found = task.judged(ms.at(chip, task.time, key=read_key), data.test, key=read_key)
    else:
        found = over_chips(designs, model, data.test, task, (task.time,), key=key)
        found = {name: each.isel(time=0, drop=True) for name, each in found.items()}
    latency = float(cost.latency.mean())
    times = {"latency": latency, "answer": latency / xs.shape[1]}
    return as_row(cost.joules, found, area=float(cost.square_metres.sum()), **times)


def on_chip(
    target: Any,
    model: Any,
    data: ms.data.Splits,
    xs: Float[Array, "n steps *inputs"],
    task: Task,
    *,
    key: Key[Array, ""] | None = None,
) -> xr.Dataset:
    """On a chip of spikes, in its own arithmetic; its events at published prices, static power for all steps."""
    placed = target.placed(model, key=key, input_shape=tuple(data.test.inputs.shape[2:]))
    placed.check_inputs(data.test.inputs)

    parts, reached = np.zeros(len(COMPONENTS)), 0.0
    for x in xs:
        _, counts = placed(x)
        reached += float(jnp.sum(counts.events)) / len(xs)
        priced = ms.energy.of_counts(placed, counts, task.dt) if target.name in PRICED else {"static": np.nan}
        for name, joules in priced.items():
            parts[COMPONENTS.index(OF_EVENTS[name])] += float(joules) / len(xs)
    joules = xr.DataArray(parts, {"component": list(COMPONENTS)})
    times = {"latency": xs.shape[1] * task.dt, "answer": (1 + placed.delay) * task.dt}
    return as_row(joules, task.judged(outputs_of(placed), data.test), events=reached, **times)


def at_ages(
    machine: str, model: Any, data: ms.data.Splits, task: Task, times: tuple[float, ...], *, key: Key[Array, ""]
) -> xr.Dataset:
    """The metrics of a trained `model` on chips of a machine, over `time`; what has no arrays does not age."""
    if machine in ARRAYS:
        designs = ranged(design_of(machine), model, data, task)
        return xr.Dataset(over_chips(designs, model, data.test, task, times, key=key))
    if machine in CHIPS:
        placed = ms.chips.target(CHIPS[machine]).placed(model, input_shape=tuple(data.test.inputs.shape[2:]))
        model = outputs_of(placed)
    return xr.Dataset(task.judged(model, data.test)).expand_dims(time=len(times))


def over_chips(
    designs: Any, model: Any, test: ms.data.Dataset, task: Task, times: tuple[float, ...], *, key: Key[Array, ""]
) -> dict[str, xr.DataArray]:
    """The metrics (time, chip) of all `task.chips` of a design, or of a design a layer."""
    asked = {"chips": task.chips, "times": list(times), "metrics": task.metrics, "scores": task.scores}
    found = ms.study.robustness(model, test, designs, key=key, **asked)
    dims = "time", "chip"
    return {name: xr.DataArray(found[name].transpose(*dims).values, dims=dims) for name in task.names}


def ranged(design: ms.Crossbar, model: Any, data: ms.data.Splits, task: Task) -> Any:
    """The design, of which converters take their ranges from recordings of the training where they are `calibrated`."""
    return ms.calibrate(model, data.train.inputs[:CALIBRATION], design) if task.calibrated else design


def outputs_of(placed: Any) -> Callable[[Array], Array]:
    """What a chip of spikes gives out for a recording, each step of it as late as the chip is."""

    def outputs(x: Array) -> Array:
        late, _ = placed(jnp.concatenate([x, jnp.zeros((placed.delay, *x.shape[1:]), x.dtype)]))
        return late[placed.delay :].astype(jnp.result_type(float))

    return outputs


def as_row(
    joules: xr.DataArray,
    metrics: dict[str, Any],
    *,
    latency: float = np.nan,
    answer: float = np.nan,
    area: float = np.nan,
    events: float = np.nan,
) -> xr.Dataset:
    """One machine in the table; what it has not takes nothing, and what is not known is NaN."""
    mean = joules.mean("sample").sum("layer") if "sample" in joules.dims else joules
    whole = mean.reindex(component=list(COMPONENTS), fill_value=0.0)
    others = {"latency": latency, "answer": answer, "square_metres": area, "events": events}
    return xr.Dataset({"joules": whole} | metrics | others)


def design_of(machine: str) -> ms.Crossbar:
    return getattr(ms.recipes, ARRAYS[machine])()
