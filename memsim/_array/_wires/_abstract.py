"""What every model of wires promises."""

from abc import abstractmethod

from jaxtyping import Array, Float

from ..._checks import Checked
from ._checks import Conductances, as_conductances


class AbstractWires(Checked):
    """What the wires of a tile make of its conductances. Ohmic cells behind wires are still a linear operator.

    >>> import jax.random as jr, device_models as dm, memsim as ms
    >>> class Lossy(ms.extend.AbstractWires):
    ...     def effective(self, g):
    ...         return 0.5 * g
    >>> design = ms.Crossbar(dm.Ideal(), wires=Lossy(), compensation=None)
    >>> print(design.deploy([[1.0]], 0.0, key=jr.key(0)).effective_weight)
    [[0.5]]
    """

    @abstractmethod
    def effective(self, g: Conductances) -> Float[Array, "rows columns"]:
        """The conductance matrix seen from the terminals, in siemens: bit-line currents are `v @ effective(g)`."""


class IdealWires(AbstractWires):
    """Wires without resistance.

    >>> import jax.numpy as jnp, memsim as ms
    >>> g = jnp.full((2, 2), 25e-6)
    >>> bool((ms.IdealWires().effective(g) == g).all())
    True
    """

    def effective(self, g: Conductances) -> Float[Array, "rows columns"]:
        return as_conductances(g)
