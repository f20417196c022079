"""Max-cut by a noisy Hopfield network on cells: how often the best cut is found, over the noise that is added.

Random graphs, half of all edges with whole weights from 1 to 10. Those of 24 vertices are judged by trying all 2^23
cuts; of those of 60 the best cut known is the best of simulated annealing in float64 and of all runs here. A chip holds
a graph, and runs on it start from random cuts. Noise falls to nothing ("falling") or stays ("steady"). It is in units
of the root mean square input of a neuron with random spins. Writes results/max_cut.
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import jax.numpy as jnp
import jax.random as jr
import numpy as np
import xarray as xr

import device_models as dm
import memsim as ms
from _frame import finish, label, of_a_point, origin, places, print_table, swept

EXACT = 24  # vertices of which all cuts are tried
ENDS = {"falling": 0.0, "steady": 1.0}
LABELS = {
    "cut": ("1", "weight of the best cut of a run"),
    "best": ("1", "weight of the best cut known; of 24 vertices, the best of all"),
    "noise": ("1", "added to the input of a neuron, over the root mean square of that"),
    "vertices": "1",
    "graph": "1",
    "run": "1",
}
QUICK = {"vertices": (24,), "graphs": 2, "noises": (0.5,), "runs": 20, "cycles": 20}


@ms.study.quick(QUICK)
@dataclass(frozen=True)
class Config:
    """Options of the study. The defaults take some minutes."""

    vertices: tuple[int, ...] = (24, 60)
    graphs: int = 10
    """Each on a chip of its own."""
    noises: tuple[float, ...] = (0.0, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 1.0, 1.5, 2.0)
    runs: int = 100
    cycles: int = 100
    """Updates of each neuron in a run."""
    device: str = "pcm_joshi2020"
    """A name of `device_models.DEVICES`, read a second after it is written."""
    out: Path = Path("results/max_cut")
    quick: bool = False
    """A small run of seconds, to try the path. Its numbers mean nothing."""

    def __post_init__(self):
        ms.study.check_options(self)
        dm.device(self.device)


def run(config: Config) -> xr.Dataset:
    """Runs or continues the study; returns what it writes."""
    chosen = partial(measure, config=of_a_point(config, "graphs", "vertices"))
    grid = {"vertices": config.vertices, "graph": range(config.graphs)}
    result = swept(chosen, grid, folder=config.out, key=jr.key(0))
    label(result, LABELS)
    result = result.assign_attrs(origin(config, design=design(config)))
    table = (result.cut >= result.best - 1e-3).mean("run").to_dataframe("share_of_runs").reset_index()
    finish("max_cut", result, table, out=config.out, report=lambda: report(result))
    return result


def measure(vertices, graph, *, key, config: Config) -> xr.Dataset:
    """The best cuts of all runs on the chip of one graph, with every noise, and the best of all cuts."""
    weights = random_graph(vertices, graph)
    size = np.sqrt(np.mean(np.sum(weights**2, axis=1)))
    w, crossbar = jnp.asarray(weights, jnp.float32), design(config)
    found = {
        (end, noise): ms.solve.anneal(
            -w, crossbar, ms.solve.Cooling(noise * size, ENDS[end]), cycles=config.cycles, runs=config.runs,
            time=1.0, key=jr.fold_in(key, graph),
        )
        for end in ENDS
        for noise in config.noises
    }  # fmt: skip
    cuts = np.array([np.asarray(ms.solve.cut(w, one.spins)) for one in found.values()])
    best = best_cut(weights) if vertices <= EXACT else max(annealed_cut(weights, graph), cuts.max())
    return xr.Dataset(
        {"cut": (("cooling", "noise", "run"), cuts.reshape(len(ENDS), -1, config.runs)), "best": ((), float(best))},
        {"cooling": list(ENDS), "noise": list(config.noises), "run": np.arange(config.runs)},
    )


def design(config: Config) -> ms.Crossbar:
    return ms.Crossbar(dm.device(config.device).make(), compensation=None)


def random_graph(vertices: int, number: int) -> np.ndarray:
    """Weights of the edges of a graph."""
    rng = np.random.default_rng([vertices, number])
    upper = np.triu((rng.random((vertices, vertices)) < 0.5) * rng.integers(1, 11, (vertices, vertices)), 1)
    return (upper + upper.T).astype(float)


def best_cut(weights: np.ndarray) -> float:
    """By all cuts: those of one half of the vertices with those of the other."""
    half = len(weights) // 2
    left = np.array(list(np.ndindex(*(2,) * half))) * 2.0 - 1
    right = np.array(list(np.ndindex(*(2,) * (len(weights) - half - 1)))) * 2.0 - 1
    right = np.column_stack([right, np.ones(len(right))])  # the last spin is up: the other half of the cuts are these
    inner = [
        0.5 * np.sum((s @ w) * s, axis=1) for s, w in ((left, weights[:half, :half]), (right, weights[half:, half:]))
    ]
    total = inner[0][:, None] + inner[1][None] + left @ weights[:half, half:] @ right.T
    return 0.25 * weights.sum() - 0.5 * total.min()


def annealed_cut(weights: np.ndarray, seed: int, sweeps: int = 1000, runs: int = 50) -> float:
    """The best cut of Metropolis' rule at falling temperatures, in float64."""
    rng, n = np.random.default_rng(seed), len(weights)
    spins, best = rng.choice([-1.0, 1.0], (runs, n)), 0.0
    field = spins @ weights
    for temperature in np.linspace(np.sqrt(np.mean(np.sum(weights**2, axis=1))), 0.1, sweeps):
        for i in rng.permutation(n):
            gain = spins[:, i] * field[:, i]  # of the cut, if spin i flips
            flips = rng.random(runs) < np.exp(np.minimum(gain / temperature, 0.0))
            field -= 2 * (flips * spins[:, i])[:, None] * weights[i]
            spins[:, i] *= np.where(flips, -1, 1)
        best = max(best, np.max(0.25 * weights.sum() - 0.25 * np.sum(field * spins, axis=1)))
    return best


def report(result: xr.Dataset) -> None:
    """Prints how often a run finds the best cut, and in how many graphs some run does."""
    rows = []
    found = result.cut >= result.best - 1e-3
    for place in places(result, "vertices", "cooling"):
        chosen = found.sel(place)
        each, any_run = chosen.mean(["graph", "run"]).values, chosen.any("run").mean("graph").values
        words = [f"{share:.2f} ({whole:.2f})" for share, whole in zip(each, any_run, strict=True)]
        rows.append([*map(str, place.values()), *words])
    columns = ["vertices", "noise", *(f"{noise:g}" for noise in result.noise.values)]
    title = f"Runs that find the best cut, mean of {result.sizes['graph']} graphs (graphs in which any run does)"
    print_table(columns, rows, title=title, width=180)
