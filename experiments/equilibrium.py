"""Equilibrium propagation on circuits of memristors: accuracy over the range of resistances, and how local rules turn.

A network of rails, hidden nodes with diodes and pairs of output nodes, whose cells are compact models, settles freely
and with its outputs pulled towards targets. Each cell then gets a pulse by the local rule, and moves as its model says.
The off resistance is a multiple of the on resistance, the ratio. Beside it, for circuits of random states and all
models with a current that can be solved for, the cosine between the local rule and the exact implicit gradient, over
the conductance that pulls, for the rule of ohmic cells ("square") and that of any cell ("co-content"). The data are
those of scikit-learn (`pip install memsim[data]`), or four generated clouds ("clouds"). On the same features and halves
a linear classifier and a network of as many hidden units are trained digitally. Writes results/equilibrium.

What may move the ratio from which networks learn is an option: `--gain 1`, `--rails single`, `--steps absolute`,
`--target 0.5`.
"""

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import xarray as xr

import device_models as dm
import memsim as ms
from _classes import READ, digitally, table_of
from _frame import finish, first_of, label, of_a_point, origin, places, print_table, swept

TRAINED = {"mms_molter2016": 0.6, "hp_joglekar2009": 1.0, "vteam_kvatinsky2015": 0.4}  # volts of a pulse, chosen by us
TURNED = (*TRAINED, "yakopcic2011", "michigan_chang2011", "stanford_jiang2016")
RULES = ("square", "co-content")
PULL = 1e-3  # of the largest conductance of a cell
REFERENCE = 100.0  # ratio of the network whose gradients are the unit of absolute steps


class Size(NamedTuple):
    """Hidden nodes of the network for a data set, how often it sees the training half, and the clamp in volts."""

    hidden: int = 12
    epochs: int = 60
    clamp: float = 0.01


# Diodes must bend at what rails leave of inputs at a hidden node, or the network is linear: less with 50 rails.
DATA = {"iris": Size(), "wine": Size(), "digits": Size(48, 20, 0.005), "clouds": Size()}
DIODE = 0.2  # conductance of the diodes, in those of a cell
DIGITAL = {"linear": 0, "perceptron": 1}  # hidden layers
LABELS = {
    "accuracy": ("1", "of the test half, at the end"),
    "cost": ("V^2", "of the training half, at the end"),
    "digital": ("1", "accuracy of the test half, of what was trained digitally"),
    "cosine": ("1", "between local rule and exact gradient, mean over inputs, all cells"),
    "ratio": ("1", "off resistance over on resistance"),
    "beta": ("1", "conductance that pulls the outputs, over the mean one of a cell"),
    "seed": "1",
}
QUICK = {"data": ("clouds",), "models": ("mms_molter2016",), "ratios": (3.0,), "epochs": 2, "seeds": 1, "hidden": 3}
QUICK |= {"turned": ("mms_molter2016",), "betas": (0.01,)}


@ms.study.quick(QUICK)
@dataclass(frozen=True)
class Config:
    """Options of the study. The defaults take some ten minutes, nearly all for the digits."""

    data: tuple[str, ...] = ("iris", "wine", "digits")
    models: tuple[str, ...] = tuple(TRAINED)
    ratios: tuple[float, ...] = (1.1, 1.3, 2.0, 5.0, 10.0, 100.0)
    seeds: int = 3
    epochs: int | None = None
    """How often the training half is seen; by default 60 times, and 20 times for the digits."""
    hidden: int | None = None
    """Nodes of the hidden layer; by default 12, and 48 for the digits."""
    batch: int = 25
    rate: float = 0.04
    """Of the range of a state that a cell with a gradient of one unit is asked to move in a step, at first."""
    gain: float = 4.0
    """Of the amplifiers between hidden nodes and the next layer."""
    rails: Literal["pairs", "single"] = "pairs"
    """Whether an input stands on a rail of either sign, so that a weight is a difference of two cells."""
    steps: Literal["relative", "absolute"] = "relative"
    """In units of the root mean square gradient of now, or of that which a network of ratio 100 has at first."""
    target: float = 0.1
    """Volts of the right class, and minus that of the others."""
    turned: tuple[str, ...] = TURNED
    """Models whose rules are compared with the exact gradient."""
    betas: tuple[float, ...] = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
    out: Path = Path("results/equilibrium")
    quick: bool = False
    """A small run of seconds, to try the path. Its numbers mean nothing."""

    def __post_init__(self):
        ms.study.check_options(self)
        if self.gain < 1:
            raise ValueError(f"`gain` must be at least 1, of an amplifier. Got {self.gain}.")
        if not set(self.turned) <= set(TURNED):
            raise ValueError(f"`turned` must be of {TURNED}. Got {self.turned}.")
        if not set(self.data) <= set(DATA) or not set(self.models) <= set(TRAINED) or min(self.ratios) <= 1:
            raise ValueError(
                f"`data` must be of {tuple(DATA)}, `models` of {tuple(TRAINED)}, and `ratios` above 1. Got "
                f"{self.data}, {self.models} and {self.ratios}."
            )


def run(config: Config) -> xr.Dataset:
    """Runs or continues the study; returns what it writes."""
    chosen = partial(measure, config=of_a_point(config, "data", "models"))
    result = swept(chosen, {"data": config.data, "model": config.models}, folder=config.out, key=jr.key(0))
    result = first_of(result, "model", "digital").assign(cosine=cosines(config))
    label(result, LABELS)
    result = result.assign_attrs(origin(config))
    table = result.accuracy.to_dataframe().reset_index()
    finish("equilibrium", result, table, out=config.out, report=lambda: report(result))
    return result


def measure(data, model, *, key, config: Config) -> xr.Dataset:
    """Accuracy and cost of networks with every ratio and seed, and what is reached digitally."""
    x, y = table_of(data)
    with jax.enable_x64(True):
        key = jr.wrap_key_data(np.asarray(jr.key_data(key)))
        seeds = jr.split(key, config.seeds)
        # One after the other: the inputs of a batch settle at once, and networks beside each other were no faster.
        one = partial(trained, model, x, y, sized(config, data))
        many = eqx.filter_jit(lambda pairs: jax.lax.map(lambda pair: one(*pair), pairs))
        pairs = [(ratio, seed) for ratio in config.ratios for seed in seeds]
        found = many((jnp.asarray([ratio for ratio, _ in pairs]), jnp.stack([seed for _, seed in pairs])))
        accuracy, cost = (np.reshape(part, (len(config.ratios), config.seeds)) for part in found)
    digital = [digitally(x, y, sized(config, data).size.hidden, layers) for layers in DIGITAL.values()]
    return xr.Dataset(
        {
            "digital": ("digitally", digital),
            "accuracy": (("ratio", "seed"), accuracy),
            "cost": (("ratio", "seed"), cost),
        },
        {"ratio": list(config.ratios), "seed": np.arange(config.seeds), "digitally": list(DIGITAL)},
    )


class Network(NamedTuple):
    """A kind of network, to be made for any ratio, and how it is trained."""

    size: Size
    config: Config

    def of(self, model: str, ratio) -> ms.insitu.ResistiveNetwork:
        cells = dm.memristors.memristor(model).make()
        cells = replace(cells, r_off=cells.r_on * ratio, sources=())
        size, paired = self.size, self.config.rails == "pairs"
        return ms.insitu.ResistiveNetwork(
            cells, size.clamp, DIODE / cells.r_on, self.config.gain, bias=READ, paired=paired
        )


def sized(config: Config, data: str) -> Network:
    """With the options that say otherwise."""
    size = DATA[data]
    size = size._replace(hidden=config.hidden or size.hidden, epochs=config.epochs or size.epochs)
    return Network(size, config)


def trained(model: str, x, y, kind: Network, ratio, key):
    """Accuracy on the second half of the data, and cost on the first, of one network after all epochs."""
    network, half, count, (size, config) = kind.of(model, ratio), len(x) // 2, int(y.max()) + 1, kind
    x, y = jnp.asarray(x), jnp.asarray(y)
    targets = config.target * (2 * jax.nn.one_hot(y, count, dtype=x.dtype) - 1)
    steps, batch = half // min(config.batch, half), min(config.batch, half)
    start_key, *epoch_keys = jr.split(key, size.epochs + 1)
    rates = config.rate * jnp.linspace(1.0, 0.05, size.epochs)
    states = drawn(network.cells, (len(network.rails(x[0])), size.hidden, 2 * count), start_key)
    units = None
    if config.steps == "absolute":
        units = [rms(part) for part in gradients(kind.of(model, REFERENCE), states, x[:half], targets[:half])]

    def epoch(states, now):
        rate, key = now
        order = jr.permutation(key, half)[: steps * batch].reshape(steps, batch)
        step = partial(updated, network, x, targets, TRAINED[model], rate, units)
        return jax.lax.scan(lambda states, rows: (step(states, rows), None), states, order)[0], None

    states, _ = jax.lax.scan(epoch, states, (rates, jnp.stack(epoch_keys)))
    outputs = jax.vmap(lambda x: ms.insitu.classes(network.settle(states, x).outputs))(x)
    right = jnp.argmax(outputs[half:], axis=1) == y[half:]
    return jnp.mean(right), jnp.mean(0.5 * jnp.sum((outputs - targets)[:half] ** 2, axis=1))


def gradients(network, states, x, targets):
    """By the local rule, mean over inputs."""
    local = partial(ms.insitu.equilibrium_gradient, network, states, beta=PULL / network.cells.r_on)
    return jax.tree.map(lambda a: jnp.mean(a, axis=0), jax.vmap(local)(x, targets))


def rms(a):
    """Root of the mean of squares."""
    return jnp.sqrt(jnp.mean(a**2) + 1e-300)


def updated(network, x, targets, voltage: float, rate, units, states, rows):
    """States after the pulses of one batch; one unit of gradient asks for `rate` of the range of a cell."""
    found = gradients(network, states, x[rows], targets[rows])
    units = [rms(part) for part in found] if units is None else units

    def moved(state, gradient, unit):
        change = jnp.clip(-rate * gradient / unit, -1.0, 1.0)
        return ms.insitu.pulse_states(network.cells, state, change, voltage=voltage)

    return tuple(map(moved, states, found, units))


def drawn(cells: dm.memristors.AbstractMemristor, sizes: tuple[int, ...], key):
    """Random states from 20 to 80 % of the range, of both layers."""
    low, high = cells.bounds
    shapes = zip(sizes[:-1], sizes[1:], jr.split(key, 2), strict=True)
    return tuple(low + (high - low) * jr.uniform(key, (m, n), minval=0.2, maxval=0.8) for m, n, key in shapes)


def cosines(config: Config) -> xr.DataArray:
    """Of all models, rules and pulls."""
    with jax.enable_x64(True):
        found = np.array([turned(name, jr.key(1), config) for name in config.turned])
    return xr.DataArray(
        found,
        {"turned": list(config.turned), "rule": list(RULES), "beta": list(config.betas)},
        ("turned", "rule", "beta"),
    )


def turned(model: str, key, config: Config) -> np.ndarray:
    """Cosines between the local rules and the exact gradient, of one circuit of random states, mean over inputs."""
    cells = dm.memristors.memristor(model).make()
    state_key, x_key = jr.split(key)
    states, x = drawn(cells, (10, 8, 6), state_key), READ * jr.normal(x_key, (20, 4))
    mean = float(jnp.mean(cells.current(states[0], jnp.full((10, 8), 0.01)))) / 0.01
    network = ms.insitu.ResistiveNetwork(cells, clamp=0.03, diode=0.02 * mean, bias=READ)
    target = config.target * jnp.array([1.0, -1.0, -1.0])

    @partial(jax.jit, static_argnames="rule")
    def cosines(beta, rule):
        def one(x):
            local = ms.insitu.equilibrium_gradient(network, states, x, target, beta=beta, rule=rule)
            return cosine_of(local, ms.insitu.exact_gradient(network, states, x, target))

        return jnp.mean(jax.vmap(one)(x))

    return np.array([[float(cosines(jnp.asarray(beta * mean), rule)) for beta in config.betas] for rule in RULES])


def cosine_of(a, b):
    """Of the angle between two sets of arrays, all entries together."""
    a, b = (jnp.concatenate([jnp.ravel(part) for part in parts]) for parts in (a, b))
    return a @ b / jnp.linalg.norm(a) / jnp.linalg.norm(b)


def report(result: xr.Dataset) -> None:
    """Prints accuracy over the ratio, and angles over what pulls."""
    rows = []
    for place in places(result, "data", "model"):
        mean = 100 * result.accuracy.sel(place).mean("seed").values
        cost = result.cost.sel(place).mean("seed").values
        digital = 100 * result.digital.sel(data=place["data"]).values
        found = (f"{a:.1f} ({c:.4f})" for a, c in zip(mean, cost, strict=True))
        rows.append([*place.values(), *found, *(f"{a:.1f}" for a in digital)])
    columns = ["data", "model", *(f"{ratio:g}" for ratio in result.ratio.values), *DIGITAL]
    title = f"Test accuracy in % (cost in V^2) over the ratio of resistances, mean of {result.sizes['seed']} seeds"
    print_table(columns, rows, title=title, width=160)
    rows = []
    for place in places(result, "turned", "rule"):
        angle = np.degrees(np.arccos(np.clip(result.cosine.sel(place).values, -1, 1)))
        rows.append([*place.values(), *(f"{a:.2f}" for a in angle)])
    columns = ["model", "rule", *(f"{beta:g}" for beta in result.beta.values)]
    print_table(columns, rows, title="Degrees between local rule and exact gradient, over the pull", width=120)
