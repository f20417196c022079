"""Binary optimisation by a Hopfield network whose couplings are conductances and whose noise is wanted."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Key

from .._array import AnalogMatrix, Crossbar
from .._checks import Checked, as_numbers, at_least, check, check_finite, checked, fraction, is_known, whole, write

SYMMETRIC = 1e-5  # of the largest coupling: what rounding in float32 may leave


class Cooling(Checked):
    r"""How the noise of a search falls: $\sigma_k = \sigma\,(1 + (e - 1)\,k / (K - 1))$ in cycle $k$ of $K$.

    **Arguments:**

    - `noise`: $\sigma$ of the first cycle, in units of the couplings: the standard deviation of what is added to the
      input of a neuron at each update.
    - `end`: $e$, the share of it that the last cycle has; 1 for noise that stays.

    >>> import memsim as ms
    >>> ms.solve.Cooling(2.0, end=0.5)(5).tolist()
    [2.0, 1.75, 1.5, 1.25, 1.0]
    """

    noise: float | Float[Array, ""]
    end: float | Float[Array, ""] = 0.0

    def __check_init__(self):
        check(self, noise=at_least(0.0, "in units of the couplings"), end=fraction())

    def __call__(self, cycles: int) -> Float[Array, " cycles"]:
        """The noise of each of so many `cycles`."""
        return self.noise * (1 + (self.end - 1) * jnp.linspace(0.0, 1.0, cycles))


class Annealed(eqx.Module):
    """What runs of a search found.

    **Arguments:**

    - `spins`: The best of each run, -1 or 1, shape (runs, n).
    - `energy`: Their energies, by the couplings that were asked for.
    - `last`: Energies at the end of the runs.
    - `first_seen`: The cycle, from 1, in which the best was found.

    >>> import jax.numpy as jnp, jax.random as jr, device_models as dm, memsim as ms
    >>> ring = -(jnp.eye(6, k=1) + jnp.eye(6, k=-1))
    >>> ideal = ms.Crossbar(dm.Ideal(), compensation=None)
    >>> found = ms.solve.anneal(ring, ideal, ms.solve.Cooling(1.0), cycles=20, key=jr.key(0))
    >>> found.spins.shape, bool((found.energy == ms.solve.energy(ring, found.spins)).all())
    ((1, 6), True)
    """

    spins: Float[Array, "runs n"]
    energy: Float[Array, " runs"]
    last: Float[Array, " runs"]
    first_seen: Float[Array, " runs"]


@checked(
    crossbar=write("Such as `Crossbar(dm.pcm_joshi2020())`."),
    cooling=write("Such as `Cooling(2.0)`."),
    cycles=whole(1),
    runs=whole(1),
    time=at_least(0.0, "in seconds after the end of programming", most=1e12),
)
def anneal(
    couplings: Float[Array, "n n"],
    crossbar: Crossbar,
    cooling: Cooling,
    *,
    cycles: int = 100,
    runs: int = 1,
    time: float = 0.0,
    key: Key[Array, ""],
) -> Annealed:
    r"""Spins $s_i = \pm 1$ of low energy $E = -\frac12 s^T J s$, found by a network on one array that holds $J$.

    A cycle updates every neuron once, one after the other in an order drawn anew: the array is read, and neuron $i$
    becomes $s_i = \mathrm{sign}\big((J s)_i + \sigma_k\,\xi\big)$, with the noise of the cells, the wires and the
    converters in the read, and what `cooling` adds. Digital logic keeps the best state of the ends of all cycles.

    Spins are full inputs, whatever the range of the DAC. What cells deviate from $J$ is the same in all runs. Runs
    start from random spins.

    **Arguments:**

    - `couplings`: $J$, symmetric, without a diagonal. For max-cut of a graph with weights $w$ it is $-w$.
    - `crossbar`: Design of the array.
    - `cooling`: The noise that is added, a function of the cycle.
    - `cycles`: Updates of each neuron.
    - `runs`: Searches on the same chip.
    - `time`: Age of the chip, in seconds.
    - `key`: For the chip and all that is drawn in the runs.

    **Raises:** `ValueError` for couplings that are not symmetric, or couple a spin with itself.

    Reference: Hopfield1982 (recalled); Cai2020 (noise of memristors helps max-cut, 60 vertices; abstract read).

    >>> import device_models as dm, jax, jax.numpy as jnp, memsim as ms
    >>> ring = -(jnp.eye(6, k=1) + jnp.eye(6, k=-1))
    >>> ideal = ms.Crossbar(dm.Ideal(), compensation=None)
    >>> float(ms.solve.anneal(ring, ideal, ms.solve.Cooling(1.0), cycles=20, key=jax.random.key(0)).energy[0])
    -5.0
    """
    couplings = _as_couplings(couplings)
    noise = cooling(cycles).astype(couplings.dtype)
    return _annealed(couplings, crossbar, noise, runs, jnp.asarray(time, couplings.dtype), key)


def _as_couplings(couplings: Array) -> Float[Array, "n n"]:
    """Couplings that are symmetric and finite, without a diagonal; traced ones are judged by their shape."""
    found = as_numbers("couplings", couplings)
    check_finite("couplings", found)
    if found.ndim != 2 or found.shape[0] != found.shape[1] or found.size == 0:
        raise ValueError(f"`couplings` must be a square matrix. Got shape {found.shape}.")
    if is_known(found):
        off = float(jnp.max(jnp.abs(found - found.T)))
        if off > SYMMETRIC * float(jnp.max(jnp.abs(found))):
            raise ValueError(f"`couplings` must be symmetric. Got entries that differ by {off:g}. (J + J.T) / 2?")
        if bool(jnp.any(jnp.diagonal(found) != 0)):
            raise ValueError(
                "`couplings` must have zeros on the diagonal. Got others: they change no minimum, drop them."
            )
    return found


@eqx.filter_jit
def _annealed(
    couplings: Array, crossbar: Crossbar, noise: Float[Array, " cycles"], runs: int, time: Array, key: Array
) -> Annealed:
    chip_key, start_key, run_key = jr.split(key, 3)
    matrix = crossbar.deploy(couplings, time, key=chip_key)
    start = jr.rademacher(start_key, (runs, couplings.shape[0]), couplings.dtype)
    cycles = noise.shape[0]

    def cycle(state: tuple[Array, Annealed], now: tuple[Array, Array, Array]) -> tuple[tuple[Array, Annealed], None]:
        (spins, best), (number, std, key) = state, now
        spins = _cycle(matrix, spins, std, key)
        found = energy(couplings, spins)
        better = found < best.energy
        return (
            spins,
            Annealed(
                jnp.where(better[:, None], spins, best.spins),
                jnp.where(better, found, best.energy),
                found,
                jnp.where(better, number, best.first_seen),
            ),
        ), None

    first = energy(couplings, start)
    numbers = jnp.arange(1, cycles + 1, dtype=first.dtype)
    begin = (start, Annealed(start, first, first, jnp.zeros_like(first)))
    (_, best), _ = jax.lax.scan(cycle, begin, (numbers, noise, jr.split(run_key, cycles)))
    return best


def _cycle(matrix: AnalogMatrix, spins: Float[Array, "runs n"], std: Array, key: Array) -> Float[Array, "runs n"]:
    """Every neuron of every run updated once."""
    runs, n = spins.shape
    order_key, noise_key, read_key = jr.split(key, 3)
    order = jr.permutation(order_key, jnp.broadcast_to(jnp.arange(n), (runs, n)), axis=1, independent=True)
    added = std * jr.normal(noise_key, (n, runs), spins.dtype)
    each, reach = jnp.arange(runs), jnp.asarray(matrix.input_range, spins.dtype)

    def update(spins: Array, now: tuple[Array, Array, Array]) -> tuple[Array, None]:
        neuron, added, key = now
        field = (matrix(spins * reach, key=key) / reach)[each, neuron] + added
        return spins.at[each, neuron].set(jnp.where(field >= 0, 1.0, -1.0).astype(spins.dtype)), None

    return jax.lax.scan(update, spins, (order.T, added, jr.split(read_key, n)))[0]


@checked()
def energy(couplings: Float[Array, "n n"], spins: Float[Array, "*batch n"]) -> Float[Array, "*batch"]:
    r"""$-\frac12 s^T J s$, exactly.

    - `couplings`, `spins`: $J$, and spins of -1 or 1, shape (*batch, n).

    >>> import jax.numpy as jnp, memsim as ms
    >>> float(ms.solve.energy(jnp.array([[0.0, 1.0], [1.0, 0.0]]), jnp.array([1.0, -1.0])))
    1.0
    """
    if couplings.shape != (spins.shape[-1], spins.shape[-1]):
        raise ValueError(
            f"`spins` must have one for each row of a square matrix. Got {spins.shape}, {couplings.shape}."
        )
    return -0.5 * jnp.sum(jnp.matmul(spins, couplings, precision="highest") * spins, axis=-1)


@checked()
def cut(weights: Float[Array, "n n"], spins: Float[Array, "*batch n"]) -> Float[Array, "*batch"]:
    r"""Weight of the edges between spins of 1 and spins of -1, $\frac14 \sum_{ij} w_{ij} (1 - s_i s_j)$.

    - `weights`, `spins`: Symmetric, shape (n, n), and spins of -1 or 1, shape (*batch, n).

    >>> import jax.numpy as jnp, memsim as ms
    >>> float(ms.solve.cut(jnp.array([[0.0, 3.0], [3.0, 0.0]]), jnp.array([1.0, -1.0])))
    3.0
    """
    return 0.25 * jnp.sum(weights) + 0.5 * energy(weights, spins)
