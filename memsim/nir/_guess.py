"""Who wrote a graph, judged by its numbers."""

from typing import Any, NamedTuple

import numpy as np

from .._checks import checked
from ._dialect import DIALECTS, Dialect
from ._file import opened
from ._step import ROUNDING, STEP

SNNTORCH_STEP = 1e-4


class Guess(NamedTuple):
    """A dialect, its name, and what speaks for it, in words.

    - `name`: A key of `memsim.nir.DIALECTS`.
    - `dialect`: How its numbers are read.
    - `reasons`: In words.

    >>> import jax.random as jr, memsim as ms
    >>> network = ms.nn.SpikingNetwork([ms.nn.Linear(3, 2, key=jr.key(0)), ms.nn.LI(2)])
    >>> found = ms.nir.guess(ms.nir.to_nir(network, dt=1e-3, input_shape=3), dt=1e-3)
    >>> found.name, len(found.reasons) > 0
    ('nir', True)
    """

    name: str
    dialect: Dialect
    reasons: tuple[str, ...]


@checked(dt=STEP)
def guess(graph: Any, *, dt: float) -> Guess:
    """The dialect that `graph`, or the graph in a file, looks like for a step of `dt` seconds.

    The size of the time constants tells their unit, how `r` goes with them the scale of the input; where several
    exporters are left, shapes, dtypes and names decide. A guess: its reasons say what else it could be.

    >>> import jax.random as jr, memsim as ms
    >>> network = ms.nn.SpikingNetwork([ms.nn.Linear(3, 2, key=jr.key(0)), ms.nn.LI(2)])
    >>> graph = ms.nir.to_nir(network, dt=1e-3, input_shape=3)
    >>> ms.nir.guess(graph, dt=1e-3).name
    'nir'
    """
    graph = opened(graph)
    said = graph.metadata.get("memsim_discretisation")
    if said in ("euler", "exponential"):
        return _guess("nir", f"its metadata say that memsim wrote it, for the {said} step.", discretisation=said)
    nodes = _all(graph)
    leaky = [node for _, node in nodes if type(node).__name__ in ("LI", "LIF", "CubaLI", "CubaLIF")]
    if leaky:
        return _by_time_constants(nodes, leaky, dt)
    rates = [np.asarray(node.r, float).reshape(-1) for _, node in nodes if type(node).__name__ in ("I", "IF")]
    if rates and _close(np.concatenate(rates) * dt, 1) and _traced(nodes):
        return _guess("spikingjelly", f"r of an integrator is 1 / dt for dt={dt:g}; names are of a traced module.")
    if not rates or not _close(np.concatenate(rates), 1):
        return _guess("nir", "no time constant, and no r = 1 of an integrator, tells an exporter.")
    return _by_rates(nodes)


def _by_time_constants(nodes: list[tuple[str, Any]], leaky: list[Any], dt: float) -> Guess:
    tau = np.concatenate([_flat(getattr(node, "tau", getattr(node, "tau_mem", None)), node.r) for node in leaky])
    r = np.concatenate([_flat(node.r, getattr(node, "tau", getattr(node, "tau_mem", None))) for node in leaky])
    traced = _traced(nodes)
    if _close(r, 1):
        return _normalised(tau, leaky, traced, dt)
    for step in (dt, 1.0):
        if _close(r, 1 - step / tau):
            reason = f"r is 1 - dt / tau for dt={step:g}, the decay, which its importer ignores, too."
            return _guess("spyx", reason, step=None if step == dt else step)
    if _close(r * dt / tau, 1 if not len(tau) else np.exp(-dt / tau)) and not _close(r * dt / tau, 1):
        return _guess("rockpool", "r is tau exp(-dt / tau) / dt.")
    if _close(r * SNNTORCH_STEP / tau, 1):
        reason = "r is tau / 1e-4 s, so the input enters unscaled and the exporter's step is 1e-4 s"
        if traced:
            return _guess("spikingjelly", f"{reason}, its default; names are those of a traced module.", step=1e-4)
        return _guess("snntorch", f"{reason}, whatever the network's. If the reset is to zero, pass `firing`.")
    if _close(r * dt / tau, 1):
        name = "spikingjelly" if traced else "nir"
        return _guess(name, f"r is tau / dt for dt={dt:g}: the input enters unscaled, and tau is in seconds.")
    return _guess("nir", "r is neither 1, nor tau / dt, nor 1 - dt / tau: it is taken at its word, tau as seconds.")


def _normalised(tau: np.ndarray, leaky: list[Any], traced: bool, dt: float) -> Guess:
    """Where all r are 1, the size of the time constants decides."""
    around = f"r is 1 and tau is around {np.median(tau):.3g}"
    if np.median(tau) >= 1:
        if any(type(node).__name__ in ("CubaLI", "CubaLIF") for node in leaky):
            return _guess("hxtorch", f"{around}: milliseconds, as sinabs, which counts steps, writes no such node.")
        return _guess("sinabs", f"{around}: time steps. Milliseconds would look the same (hxtorch).")
    if tau.max() < dt:
        return _guess("norse", f"{around}, below the step of {dt:g} s: version 1.1.0 writes a thousandth of a second.")
    unit = f"{around}: seconds. Euler and exponential steps look the same; it is taken for"
    if traced or all(np.asarray(node.r).dtype == np.float64 for node in leaky):
        return _guess("spikingjelly", f"{unit} Euler, as double precision and names speak for SpikingJelly.")
    if all(np.ndim(node.r) == 0 for node in leaky):
        return _guess("nir", f"{unit} Euler, as single values speak for norse.")
    return _guess("jaxpike", f"{unit} exponential, as single precision and full shapes speak for jaxpike.")


def _by_rates(nodes: list[tuple[str, Any]]) -> Guess:
    reason = "r of an integrator is 1: its input enters unscaled"
    if any(name.startswith("layer_") for name, _ in nodes):
        return _guess("spyx", f"{reason}; the names are those of Spyx.")
    inputs = [np.size(node.input_type["input"]) for _, node in nodes if type(node).__name__ == "Input"]
    if any(type(node).__name__ in ("Affine", "Linear") for _, node in nodes) and inputs == [2]:
        return _guess("norse", f"{reason}; the input has a batch axis.")
    return _guess("sinabs", f"{reason}; sinabs subtracts the threshold, norse would reset to zero.")


def _guess(name: str, reason: str, **changes: Any) -> Guess:
    return Guess(name, DIALECTS[name]._replace(**changes), (reason,))


def _all(graph: Any) -> list[tuple[str, Any]]:
    """All nodes with their names, those of inner graphs, too."""
    found = []
    for name, node in graph.nodes.items():
        found += _all(node) if type(node).__name__ == "NIRGraph" else [(str(name), node)]
    return found


def _traced(nodes: list[tuple[str, Any]]) -> bool:
    """Whether names are those that tracing a module gives, as SpikingJelly does."""
    return any(name.startswith("_") or (name == "input_1" and type(n).__name__ == "Input") for name, n in nodes)


def _flat(x: Any, like: Any) -> np.ndarray:
    return np.broadcast_arrays(np.asarray(x, float), np.asarray(like, float))[0].reshape(-1)


def _close(x: np.ndarray, y: Any) -> bool:
    return bool(np.allclose(x, y, rtol=0, atol=ROUNDING))
