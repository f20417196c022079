"""A design for each layer of a model, by path."""

import equinox as eqx

from .._array import Crossbar
from .._checks import check, write
from ._synapses._synapse import AbstractAnalog


class PerLayer(eqx.Module):
    """A design for each layer by its path, `None` for a digital one; goes wherever a design goes.

    As `PerLayer({".layers[0]": crossbar, ".layers[2]": None})`, or from `memsim.calibrate`.

    >>> import equinox as eqx, jax.random as jr, device_models as dm, memsim as ms
    >>> model = ms.nn.convert(eqx.nn.MLP(4, 2, 8, 1, key=jr.key(0)))
    >>> design = ms.nn.PerLayer({".layers[0]": ms.Crossbar(dm.pcm_joshi2020()), ".layers[1]": None})
    >>> [isinstance(layer.weight, ms.Chip) for layer in ms.program(model, design, key=jr.key(1)).layers]
    [True, False]
    """

    designs: dict[str, Crossbar | None]

    def __check_init__(self):
        check(self, designs=write('Write `PerLayer({".layers[0]": memsim.Crossbar(...)})`.'))

    def __call__(self, path: str, layer: AbstractAnalog) -> Crossbar | None:
        if path not in self.designs:
            raise ValueError(
                f"Each analog layer must have a design, or None, by its path. Got {path}, where there are "
                f"{', '.join(sorted(self.designs)) or 'none'}. Of another model? Calibrate again."
            )
        return self.designs[path]
