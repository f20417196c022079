"""The figure of one part, whatever its kind."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from jaxtyping import Array, Key

from device_models import AbstractDevice
from device_models.memristors import AbstractMemristor
from device_models.noise import AbstractNoise
from device_models.pulsed import AbstractPulsed

from ..._array import AbstractADC, AbstractDAC, AbstractMapping
from ..._checks import checked
from ...nn import AbstractNeuron
from .._caption import describe
from .._style import letter_panels, panels_of, style
from ._cells import cells
from ._converters import adc, dac
from ._loops import loops
from ._mappings import mapping
from ._neurons import neuron
from ._noises import noise
from ._pulses import pulses

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Part = (
    AbstractDevice
    | AbstractPulsed
    | AbstractMemristor
    | AbstractNoise
    | AbstractADC
    | AbstractDAC
    | AbstractMapping
    | AbstractNeuron
)
KINDS: dict[type, Callable[..., str]] = {
    AbstractDevice: cells,
    AbstractPulsed: pulses,
    AbstractMemristor: loops,
    AbstractNoise: noise,
    AbstractADC: adc,
    AbstractDAC: dac,
    AbstractMapping: mapping,
    AbstractNeuron: neuron,
}


@checked()
def portrait(part: Part, *, key: Key[Array, ""], journal: str = "neutral") -> "Figure":
    r"""What one part does, in three panels: of any kind, also of one of your own.

    - A cell: conductances as written against their target, the standard deviation of writes and reads, ageing.
    - A pulsed device: pulses up and down, and the size of a step against the weight.
    - A memristor: pinched loops of a sine at three frequencies, and the path of the state.
    - A noise: its course in a few cells, the distribution of its values, its correlation in time.
    - A converter: code against input, the steps around zero, the error.
    - A mapping: the state of its cells against the weight, the error of the weight, what the cells conduct together.
    - A neuron: its answer to a step of current below and above the one that makes it spike, and its rate against
      the current; of a readout its answers to a step and to one spike.

    **Arguments:**

    - `part`: Its own numbers are drawn; of an array of neurons the first.
    - `key`: Decides which cells, lines and reads are drawn.
    - `journal`: A name of `memsim.plotting.JOURNALS`.

    **Returns:** A figure two columns wide; `memsim.plotting.caption` says what its lines and bands are.

    >>> import jax.random as jr, device_models as dm, memsim as ms
    >>> figure = ms.plotting.portrait(dm.pcm_joshi2020(), key=jr.key(0))
    >>> [axes.get_ylabel() for axes in figure.axes]
    ['Written (µS)', 'Standard deviation (µS)', 'Conductance (µS)']
    """
    draw = next(draw for kind, draw in KINDS.items() if isinstance(part, kind))
    with style(journal):
        figure, grid = panels_of(journal, 1, 3, height=0.27)
        words = draw(grid[0], part, key=key)
        letter_panels(grid[0])
        describe(figure, words)
    return figure
