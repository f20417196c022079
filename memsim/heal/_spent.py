"""What mending takes: reads, writes, digital numbers, joules; how much of each there is; and what each costs."""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key

from .._array import AnalogMatrix, Chip
from .._checks import Checked, check, whole
from ..energy import Periphery
from ..energy import of as energy_of
from ..nn import analog_layers
from ..nn._analog_layers import layers_of
from ..nn._calling import evaluating, measured
from ._beside import bias_of

WATCHED = 4  # samples whose energy is measured


class Budget(Checked):
    """What mending may take; `None` is without limit.

    A remedy takes less than it would where that still is of use, and raises `ValueError` where it is not.

    **Arguments:**

    - `reads`: Of arrays: one pattern on the word lines of one layer. A sample takes one for each layer and step, and of
      a convolution one for each pixel.
    - `writes`: Of weights, each of which is all of its cells.
    - `parameters`: Numbers that digital logic keeps beside the arrays.

    >>> import memsim as ms
    >>> ms.heal.Budget(reads=10_000).writes is None
    True
    """

    reads: int | None = None
    writes: int | None = None
    parameters: int | None = None

    def __check_init__(self):
        check(self, reads=whole(1), writes=whole(0), parameters=whole(0))


class Spent(NamedTuple):
    """What mending took, and what digital logic multiplies from then on; what it computes to learn is not counted.

    - `reads`: Of arrays, as `Budget` counts them.
    - `writes`: Of weights.
    - `parameters`: Numbers kept in digital.
    - `joules`: Of reads and writes; NaN for circuits whose energy is not known.
    - `write_joules`: Of one of the writes, within these.
    - `multiplications`: Of digital numbers with inputs, for each sample from then on; gains are within the scale that
      codes are multiplied by anyway, and offsets within biases.

    >>> import memsim as ms
    >>> spent = ms.heal.Spent(reads=100.0, parameters=2, joules=1e-9)
    >>> spent.parameters, spent.writes
    (2, 0.0)
    """

    reads: float = 0.0
    writes: float = 0.0
    parameters: int = 0
    joules: float = 0.0
    write_joules: float = 0.0
    multiplications: float = 0.0

    def with_writes(self, writes: float) -> "Spent":
        """With so many writes in the place of those that were planned."""
        joules = self.joules + (writes - self.writes) * self.write_joules
        return self._replace(writes=float(writes), joules=float(joules))


class Layer(NamedTuple):
    """A layer on a chip.

    Its sizes, its reads for one sample, whether it has a bias, and joules of one read and of writing one weight.

    >>> import memsim as ms
    >>> layer = ms.heal.Layer(4, 2, 1, reads=1.0, has_bias=True, read_joules=1e-12, write_joules=1e-9)
    >>> layer.inputs * layer.outputs
    8
    """

    inputs: int
    outputs: int
    row_tiles: int
    reads: float
    has_bias: bool
    read_joules: float
    write_joules: float


class Known(NamedTuple):
    """What is known of a chip before it is mended.

    - `layers`: Those on chips by path.
    - `sample_joules`: Of one sample, neurons included.
    - `samples`: How many there are to learn from.
    - `norms`: Running statistics of batch norms, how many numbers.
    - `unknown`: Why energy is not known, if so.

    >>> import memsim as ms
    >>> layer = ms.heal.Layer(4, 2, 1, reads=1.0, has_bias=True, read_joules=1e-12, write_joules=1e-9)
    >>> known = ms.heal.Known({".layers[0]": layer}, sample_joules=2e-12, samples=64, norms=0, unknown="")
    >>> known.reads
    1.0
    """

    layers: dict[str, Layer]
    sample_joules: float
    samples: int
    norms: int
    unknown: str

    @classmethod
    def of(cls, chip: Any, now: Any, t: Any, xs: Array, periphery: Periphery, key: Key[Array, ""]) -> "Known":
        """Of `chip`, and what it is `now`, at `t`; its energy is that of the first few of `xs`."""
        counts = {path: float(number) for path, number in reads_of_a_sample(now, xs[0], key).items()}
        unknown, whole, each, written = "", np.nan, {}, {}
        try:
            found = energy_of(chip, xs[:WATCHED], t=t, periphery=periphery, key=key)
            joules = found.joules.sum("component").mean("sample")
            whole = float(joules.sum())
            each = {path: float(joules.sel(layer=path)) / max(counts[path], 1.0) for path in counts}
            written = {path: float(found.programming.sel(layer=path)) for path in counts}
        except ValueError as error:  # circuits whose energy is not known
            unknown = str(error)
        layers = {}
        for path, made in on_chips(chip).items():
            tiles, outputs = made.scales.shape
            inputs = cells_of(made).shape[1]
            biased = bias_of(analog_layers(chip)[path]) is not None
            joules, write = each.get(path, np.nan), written.get(path, np.nan) / (inputs * outputs)
            layers[path] = Layer(inputs, outputs, tiles, counts[path], biased, joules, write)
        return cls(layers, whole, len(xs), _statistics(chip), unknown)

    @property
    def reads(self) -> float:
        """Of all layers, for one sample."""
        return sum(layer.reads for layer in self.layers.values())

    def of_samples(self, samples: int, *, writes: float = 0.0, parameters: int = 0) -> Spent:
        """What so many samples take."""
        return Spent(samples * self.reads, writes, parameters, samples * self.sample_joules)


def _statistics(chip: Any) -> int:
    """How many running statistics batch norms of `chip` have, a mean and a variance for each channel."""
    norms = layers_of(chip, eqx.nn.BatchNorm).values()
    return sum(2 * norm.input_size for norm in norms)


def on_chips(chip: Any) -> dict[str, Chip]:
    """The chips of a model by path of their layer."""
    return {path: layer.weight for path, layer in analog_layers(chip).items() if isinstance(layer.weight, Chip)}


def cells_of(made: Chip) -> Any:
    """The shape and the dtype of the conductances of a chip, (planes, rows, lines)."""
    return jax.eval_shape(lambda one: one.crossbar.device.conductance(one.cells, jnp.zeros(())), made)


@eqx.filter_jit
def reads_of_a_sample(now: Any, x: Array, key: Key[Array, ""]) -> dict[str, Float[Array, ""]]:
    """How often the array of each layer of a moment is read for one sample."""
    now = evaluating(now)
    layers = {path: layer for path, layer in analog_layers(now).items() if isinstance(layer.weight, AnalogMatrix)}

    def counter(layer: Any) -> Any:
        def count(x: Array) -> tuple[Array, Array]:
            reads = jax.eval_shape(layer.word_lines, x).shape[0]
            return jnp.asarray(float(reads)), jnp.sum(x)  # the sum has all axes of the call

        return count

    _, sums = measured(now, x, key, {path: counter(layer) for path, layer in layers.items()})
    return {path: sums[path][0] if path in sums else jnp.zeros(()) for path in layers}


def affordable(wanted: int, most: int | None, each: float, least: int, what: str, who: str) -> int:
    """As many of `wanted` as `most` reads allow; raises `ValueError` where that is less than the `least` of use."""
    if most is None:
        return wanted
    found, fewest = min(wanted, int(most / each)), min(least, wanted)
    if found < fewest:
        raise ValueError(
            f"`budget.reads` must be at least {int(np.ceil(fewest * each))} for {who}: {fewest} {what}. Got {most}."
        )
    return found


def check_parameters(parameters: int, budget: Budget, who: str, advice: str) -> None:
    """Raises `ValueError` for more numbers in digital than there may be."""
    if budget.parameters is not None and parameters > budget.parameters:
        raise ValueError(
            f"`budget.parameters` must be at least {parameters} for {who}. Got {budget.parameters}. {advice}"
        )
