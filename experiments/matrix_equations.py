"""Matrix equations on cells of a few levels: how many bits each refinement gains, over cell errors and wires.

Equations of 16 unknowns, each on a chip of its own, solved by closed loops of 8 x 8 by blocks and refined by digital
residuals in float64 ("combined", with all earlier corrections, and "plain"), by residuals on a bit-sliced array of the
same cells with a tenth of the error ("sliced"), and, instead of closed loops, by an iterative solver on the products of
an array ("iterative"). Matrices are an implicit step of a diffusion equation, the correlation of 64 random channels,
and random ones with a dominant diagonal. The error of a solution is relative, in the norm of length. Writes
results/matrix_equations.
"""

from dataclasses import dataclass
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
from _frame import finish, label, of_a_point, origin, places, print_table, swept

G_MIN, G_MAX = 0.5e-6, 35e-6  # siemens, with 8 levels: Zuo2025, second-hand
GOAL = 2.0**-24
WIRED_ERROR = 0.01  # of the cells of arrays with wires
FINER = 0.1  # of the cell error, in the bit-sliced array
MATRICES = ("diffusion", "correlation", "dominant")
METHODS = ("combined", "plain", "sliced", "iterative")
RELATIVE = ("1", "norm of the solution's error over that of the solution")
LABELS = {
    "error": RELATIVE,
    "wired_error": RELATIVE,
    "cell_error": ("1", "standard deviation of a written cell over the range of conductances"),
    "wire": ("ohm", "resistance of a segment of a word or bit line"),
    "step": ("1", "refinements after the first solve"),
    "settles": ("1", "share of chips whose closed loops settle"),
    "chip": "1",
}
QUICK = {
    "chips": 3,
    "size": 8,
    "cell_errors": (0.01, 0.05),
    "resistances": (0.0, 10.0),
    "refinements": 3,
    "methods": ("combined",),
}


@ms.study.quick(QUICK)
@dataclass(frozen=True)
class Config:
    """Options of the study. The defaults take some minutes."""

    cell_errors: tuple[float, ...] = (0.0, 0.005, 0.01, 0.02, 0.03, 0.05, 0.07, 0.1)
    resistances: tuple[float, ...] = (0.0, 30.0, 100.0, 300.0, 1000.0, 3000.0)
    """Ohms a segment."""
    chips: int = 100
    size: int = 16
    """Unknowns of an equation, at most 64."""
    refinements: int = 14
    methods: tuple[str, ...] = METHODS
    out: Path = Path("results/matrix_equations")
    quick: bool = False
    """A small run of seconds, to try the path. Its numbers mean nothing."""

    def __post_init__(self):
        ms.study.check_options(self)
        if not set(self.methods) <= set(METHODS):
            raise ValueError(f"`methods` must be of {METHODS}. Got {self.methods}.")
        if not 2 <= self.size <= 64:
            raise ValueError(f"`size` must be from 2 to 64 unknowns. Got {self.size}.")


def run(config: Config) -> xr.Dataset:
    """Runs or continues the study; returns what it writes."""
    result = swept(partial(measure, config=of_a_point(config)), {"matrix": MATRICES}, folder=config.out, key=jr.key(0))
    label(result, LABELS)
    result = result.assign_attrs(origin(config, design=design(0.01)))
    table = ms.study.summary(result.error.isel(step=min(10, config.refinements), drop=True))
    finish("matrix_equations", result, table, out=config.out, report=lambda: report(result))
    return result


def measure(matrix, *, key, config: Config) -> xr.Dataset:
    """The error after each refinement, of chips with each cell error, and with each resistance of the wires."""
    with jax.enable_x64(True):
        matrix_key, x_key, chip_key = jr.split(jr.wrap_key_data(np.asarray(jr.key_data(key))), 3)
        a = equations(matrix, config.size, jr.split(matrix_key, config.chips))
        x, keys = jr.normal(x_key, (config.chips, config.size)), jr.split(chip_key, config.chips)
        errors, wires = jnp.asarray(config.cell_errors), jnp.asarray(config.resistances)
        found = [errors_of(a, x, errors, None, keys, config.refinements, method) for method in config.methods]
        wired = errors_of(a, x, jnp.full_like(wires, WIRED_ERROR), wires, keys, config.refinements, "combined")[0]
        each, settles = np.stack([np.asarray(one[0]) for one in found]), np.asarray(found[0][1])
    return xr.Dataset(
        {
            "error": (("method", "cell_error", "chip", "step"), each),
            "wired_error": (("wire", "chip", "step"), np.asarray(wired)),
            "settles": (("cell_error",), settles.mean(1)),
        },
        {"method": list(config.methods), "cell_error": list(config.cell_errors), "wire": list(config.resistances)}
        | {"chip": np.arange(config.chips), "step": np.arange(config.refinements + 1)},
    )


def equations(kind: str, n: int, keys) -> jax.Array:
    """Matrices of one kind, shape (chips, n, n)."""
    if kind == "diffusion":  # an implicit step of D dt / dx^2 = 1, zero outside
        return jnp.broadcast_to(3 * jnp.eye(n) - jnp.eye(n, k=1) - jnp.eye(n, k=-1), (len(keys), n, n))
    if kind == "correlation":
        channels = jax.vmap(lambda key: jr.normal(key, (4 * n, n)))(keys) / jnp.sqrt(4.0 * n)
        return jnp.swapaxes(channels, 1, 2) @ channels
    return jnp.eye(n)[None] + 0.5 / jnp.sqrt(1.0 * n) * jax.vmap(lambda key: jr.normal(key, (n, n)))(keys)


def design(error, wire=None) -> ms.Crossbar:
    """Arrays of cells of 8 levels that are written with this `error`, a share of the range."""
    cells = dm.Gaussian(G_MIN, G_MAX, write_noise=dm.curves.Constant(G_MAX - G_MIN), write_noise_scale=error)
    wires = ms.IdealWires() if wire is None else ms.ResistiveWires(wire, wire)
    return ms.Crossbar(dm.Levels(cells, 8), wires=wires, compensation=None)


@eqx.filter_jit
def errors_of(a, x, errors, wires, keys, steps: int, method: str):
    """Relative errors, shape (errors, chips, steps + 1), and whether the chips settle; wires may be ideal, `None`."""

    def one(a, x, error, wire, key):
        crossbar = design(error, wire)
        inverse = ms.solve.Iterative() if method == "iterative" else ms.solve.ClosedLoop()
        sliced = ms.solve.bit_sliced(design(FINER * error).device, rows=x.size) if method == "sliced" else None
        memory = 0 if method == "plain" else None
        found = ms.solve.refine(
            a, a @ x, crossbar, inverse=inverse, product=sliced, steps=steps, memory=memory, key=key
        )
        loops = inverse.program(a, crossbar, key=jr.split(key, 3)[0])  # the chip that `refine` makes
        return jnp.linalg.norm(found.iterates - x[None], axis=-1) / jnp.linalg.norm(x), loops.settles

    chips = jax.vmap(one, (0, 0, None, None, 0))
    return jax.lax.map(lambda pair: chips(a, x, *pair, keys), (errors, wires))


def gained(error: xr.DataArray, steps: int = 5) -> xr.DataArray:
    """Bits gained a refinement, over the first of them."""
    last = min(steps, error.sizes["step"] - 1)
    return np.log2(error.isel(step=0) / np.maximum(error.isel(step=last), 1e-15)) / last


def report(result: xr.Dataset) -> None:
    """Prints bits a refinement and the share of chips below 2^-24 after ten, and how many refinements wires cost."""
    at = min(10, result.sizes["step"] - 1)
    columns = [f"{error:.1%}" for error in result.cell_error.values]
    rows = []
    for place in places(result, "matrix", "method"):
        chosen = result.error.sel(place)
        bits, below = gained(chosen).median("chip").values, (chosen.isel(step=at) < GOAL).mean("chip").values
        rows.append([*place.values(), *(f"{b:.2f} ({share:.0%})" for b, share in zip(bits, below, strict=True))])
    title = f"Bits a refinement, median of {result.sizes['chip']} chips, over the cell error (below 2^-24 after {at})"
    print_table(["matrix", "method", *columns], rows, title=title, width=160)
    rows = []
    for matrix in result.matrix.values:
        good = result.wired_error.sel(matrix=matrix).max("chip") < 1e-12
        first = np.where(good.any("step"), good.argmax("step"), -1)
        rows.append([matrix, *("never" if step < 0 else str(step) for step in first)])
    title = "Refinements until all chips are below 1e-12, over ohms a segment, cells with 1 % of error"
    print_table(["matrix", *(f"{wire:g}" for wire in result.wire.values)], rows, title=title)
