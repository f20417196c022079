"""Equilibrium propagation on circuits of memristors: accuracy over the range of resistances, and how local rules turn.

A network of rails, hidden nodes with diodes and pairs of output nodes, whose cells are compact models, settles freely
and with its outputs pulled towards targets. Each cell then gets a pulse by the local rule, and moves as its model says.
The off resistance is a multiple of the on resistance, the ratio. Beside it, for circuits of random states and all
models with a current that can be solved for, the cosine between the local rule and the exact implicit gradient, over
the conductance that pulls, for the rule of ohmic cells ("square") and that of any cell ("co-content"). The data are
those of scikit-learn (`pip install memsim[data]`), or four generated clouds ("clouds"). Writes results/equilibrium.
"""

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import xarray as xr

import device_models as dm
import memsim as ms
from _frame import finish, first_of, label, of_a_point, origin, places, print_table, swept

TRAINED = {"mms_molter2016": 0.6, "hp_joglekar2009": 1.0, "vteam_kvatinsky2015": 0.4}  # volts of a pulse, chosen by us
TURNED = (*TRAINED, "yakopcic2011", "michigan_chang2011", "stanford_jiang2016")
RULES = ("square", "co-content")
READ = 0.5  # volts of one standard deviation of a feature
TARGET = 0.1  # volts of the right class, and minus that of the others
PULL = 1e-3  # of the largest conductance of a cell
DATA = ("iris", "wine", "digits", "clouds")
KEPT = 8  # principal components of the digits
LABELS = {
    "accuracy": ("1", "of the test half, at the end"),
    "cost": ("V^2", "of the training half, at the end"),
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
    """Options of the study. The defaults take some ten minutes."""

    data: tuple[str, ...] = ("iris", "wine", "digits")
    models: tuple[str, ...] = tuple(TRAINED)
    ratios: tuple[float, ...] = (1.1, 1.3, 2.0, 5.0, 10.0, 100.0)
    seeds: int = 3
    epochs: int = 40
    hidden: int = 12
    batch: int = 25
    rate: float = 0.02
    """Of the range of a state that a cell with the root mean square gradient is asked to move in a step, at first."""
    turned: tuple[str, ...] = TURNED
    """Models whose rules are compared with the exact gradient."""
    betas: tuple[float, ...] = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
    out: Path = Path("results/equilibrium")
    quick: bool = False
    """A small run of seconds, to try the path. Its numbers mean nothing."""

    def __post_init__(self):
        ms.study.check_options(self)
        if not set(self.turned) <= set(TURNED):
            raise ValueError(f"`turned` must be of {TURNED}. Got {self.turned}.")
        if not set(self.data) <= set(DATA) or not set(self.models) <= set(TRAINED) or min(self.ratios) <= 1:
            raise ValueError(
                f"`data` must be of {DATA}, `models` of {tuple(TRAINED)}, and `ratios` above 1. Got {self.data}, "
                f"{self.models} and {self.ratios}."
            )


def run(config: Config) -> xr.Dataset:
    """Runs or continues the study; returns what it writes."""
    chosen = partial(measure, config=of_a_point(config, "data", "models"))
    result = swept(chosen, {"data": config.data, "model": config.models}, folder=config.out, key=jr.key(0))
    result = first_of(result, ("data", "model"), "cosine")
    label(result, LABELS)
    result = result.assign_attrs(origin(config))
    table = result.accuracy.to_dataframe().reset_index()
    finish("equilibrium", result, table, out=config.out, report=lambda: report(result))
    return result


def measure(data, model, *, key, config: Config) -> xr.Dataset:
    """Accuracy and cost of networks with every ratio and seed, trained at once; and the cosines of all models."""
    x, y = table_of(data)
    with jax.enable_x64(True):
        key = jr.wrap_key_data(np.asarray(jr.key_data(key)))
        seeds = jr.split(key, config.seeds)
        # One after the other: factorisations of hundreds of matrices at once never end on two cores (jaxlib 0.10.2).
        one = partial(trained, model, x, y, config)
        many = eqx.filter_jit(lambda pairs: jax.lax.map(lambda pair: one(*pair), pairs))
        pairs = [(ratio, seed) for ratio in config.ratios for seed in seeds]
        found = many((jnp.asarray([ratio for ratio, _ in pairs]), jnp.stack([seed for _, seed in pairs])))
        accuracy, cost = (np.reshape(part, (len(config.ratios), config.seeds)) for part in found)
        cosine = np.array([turned(name, jr.key(1), config) for name in config.turned])
    return xr.Dataset(
        {
            "accuracy": (("ratio", "seed"), accuracy),
            "cost": (("ratio", "seed"), cost),
            "cosine": (("turned", "rule", "beta"), cosine),
        },
        {"ratio": list(config.ratios), "seed": np.arange(config.seeds), "beta": list(config.betas)}
        | {"turned": list(config.turned), "rule": list(RULES)},
    )


def table_of(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Features in volts, and classes, in an order drawn once."""
    rng = np.random.default_rng(0)
    if name == "clouds":
        y = np.arange(80) % 2
        side = np.arange(80) // 2 % 2  # the classes of two opposite corners each: no straight line parts them
        x = rng.normal(size=(80, 2)) * 0.3 + 2 * np.stack([side, side ^ y], axis=1) - 1
    else:
        try:
            from sklearn import datasets
        except ImportError as error:
            raise ValueError('`data` are those of scikit-learn: `pip install "memsim[data]"`, or "clouds".') from error
        x, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    if name == "digits":
        x = x - x.mean(0)
        x = x @ np.linalg.svd(x, full_matrices=False)[2][:KEPT].T
    order = rng.permutation(len(x))
    return (READ * (x - x.mean(0)) / x.std(0))[order], y[order].astype(int)


def network_of(model: str, ratio) -> ms.insitu.ResistiveNetwork:
    cells = dm.memristors.memristor(model).make()
    cells = replace(cells, r_off=cells.r_on * ratio, sources=())
    return ms.insitu.ResistiveNetwork(cells, clamp=0.03, diode=0.02 / cells.r_on, bias=READ)


def trained(model: str, x, y, config: Config, ratio, key):
    """Accuracy on the second half of the data, and cost on the first, of one network after all epochs."""
    network, half, count = network_of(model, ratio), len(x) // 2, int(y.max()) + 1
    x, y = jnp.asarray(x), jnp.asarray(y)
    targets = TARGET * (2 * jax.nn.one_hot(y, count, dtype=x.dtype) - 1)
    steps, batch = half // min(config.batch, half), min(config.batch, half)
    start_key, *epoch_keys = jr.split(key, config.epochs + 1)
    rates = config.rate * jnp.linspace(1.0, 0.05, config.epochs)

    def epoch(states, now):
        rate, key = now
        order = jr.permutation(key, half)[: steps * batch].reshape(steps, batch)
        step = partial(updated, network, x, targets, TRAINED[model], rate)
        return jax.lax.scan(lambda states, rows: (step(states, rows), None), states, order)[0], None

    states = drawn(network.cells, (2 * x.shape[1] + 2, config.hidden, 2 * count), start_key)
    states, _ = jax.lax.scan(epoch, states, (rates, jnp.stack(epoch_keys)))
    outputs = jax.vmap(lambda x: ms.insitu.classes(network.settle(states, x).outputs))(x)
    right = jnp.argmax(outputs[half:], axis=1) == y[half:]
    return jnp.mean(right), jnp.mean(0.5 * jnp.sum((outputs - targets)[:half] ** 2, axis=1))


def updated(network, x, targets, voltage: float, rate, states, rows):
    """States after the pulses of one batch."""
    beta = PULL / network.cells.r_on
    local = partial(ms.insitu.equilibrium_gradient, network, states, beta=beta)
    mean = jax.tree.map(lambda a: jnp.mean(a, axis=0), jax.vmap(local)(x[rows], targets[rows]))

    def moved(state, gradient):
        change = jnp.clip(-rate * gradient / jnp.sqrt(jnp.mean(gradient**2) + 1e-300), -1.0, 1.0)
        return ms.insitu.pulse_states(network.cells, state, change, voltage=voltage)

    return tuple(moved(state, gradient) for state, gradient in zip(states, mean, strict=True))


def drawn(cells: dm.memristors.AbstractMemristor, sizes: tuple[int, ...], key):
    """Random states from 20 to 80 % of the range, of both layers."""
    low, high = cells.bounds
    shapes = zip(sizes[:-1], sizes[1:], jr.split(key, 2), strict=True)
    return tuple(low + (high - low) * jr.uniform(key, (m, n), minval=0.2, maxval=0.8) for m, n, key in shapes)


def turned(model: str, key, config: Config) -> np.ndarray:
    """Cosines between the local rules and the exact gradient, of one circuit of random states, mean over inputs."""
    cells = dm.memristors.memristor(model).make()
    state_key, x_key = jr.split(key)
    states, x = drawn(cells, (10, 8, 6), state_key), READ * jr.normal(x_key, (20, 4))
    mean = float(jnp.mean(cells.current(states[0], jnp.full((10, 8), 0.01)))) / 0.01
    network = ms.insitu.ResistiveNetwork(cells, clamp=0.03, diode=0.02 * mean, bias=READ)
    target = TARGET * jnp.array([1.0, -1.0, -1.0])

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
        rows.append([*place.values(), *(f"{a:.1f} ({c:.4f})" for a, c in zip(mean, cost, strict=True))])
    columns = ["data", "model", *(f"{ratio:g}" for ratio in result.ratio.values)]
    title = f"Test accuracy in % (cost in V^2) over the ratio of resistances, mean of {result.sizes['seed']} seeds"
    print_table(columns, rows, title=title, width=160)
    rows = []
    for place in places(result, "turned", "rule"):
        angle = np.degrees(np.arccos(np.clip(result.cosine.sel(place).values, -1, 1)))
        rows.append([*place.values(), *(f"{a:.2f}" for a in angle)])
    columns = ["model", "rule", *(f"{beta:g}" for beta in result.beta.values)]
    print_table(columns, rows, title="Degrees between local rule and exact gradient, over the pull", width=120)
