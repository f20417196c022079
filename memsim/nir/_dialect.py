"""What each exporter means by the numbers that it writes."""

from typing import Literal, NamedTuple

import numpy as np

from .._checks import Must, judge, positive
from ..nn import Firing
from ._step import Discretisation, Values

ANYTHING = Must()
MANY = 1 << 16  # spikes a step of neurons that set no limit


class Dialect(NamedTuple):
    """How to read the parameters of a neuron.

    **Arguments:**

    - `discretisation`: The step that the exporter's own neurons make.
    - `second`: What a time constant of one second is in the file.
    - `step`: What a time constant of one time step is in the file, where that does not depend on `dt`; it goes before
      `second`.
    - `r`, `w_in`: "equation" where they mean what NIR says; "unscaled" where the exporter's input enters as it is,
      whatever the file says; "decayed" where it enters and decays in the same step.
    - `rate`: Whether the `r` of an integrator without leak is "per_second", as in NIR, or "per_step".
    - `firing`: How the exporter's neurons fire by default, also at exactly the threshold. A file does not say it.
    - `input_at`: The node that the input of a recurrent sub-graph is written to enter; it is read as the neuron.
    - `firing_cuba`: The same of its neurons with a synaptic current, where that differs.

    >>> import memsim as ms
    >>> dialect = ms.nir.Dialect(step=1e-4, firing=ms.nn.Firing(delay=1))
    >>> dialect == ms.nir.DIALECTS["snntorch"]
    True
    """

    discretisation: Discretisation = "euler"
    second: float = 1.0
    step: float | None = None
    r: Literal["equation", "unscaled", "decayed"] = "equation"
    w_in: Literal["equation", "unscaled", "decayed"] = "equation"
    rate: Literal["per_second", "per_step"] = "per_second"
    input_at: Literal["neuron", "synapse"] = "neuron"
    firing: Firing = Firing(reset="zero")
    firing_cuba: Firing | None = None

    def check(self) -> None:
        """Raises `ValueError` for a field that is not what its annotation says, or a unit that is not positive."""
        rules = {"second": positive(), "step": positive()}
        for name, annotation in self.__annotations__.items():
            judge(name, getattr(self, name), annotation, rules.get(name, ANYTHING))

    def seconds(self, tau: Values, dt: float) -> Values:
        """A time constant of the file, in seconds of a network that makes steps of `dt`."""
        return np.asarray(tau / self.second if self.step is None else tau / self.step * dt)


DIALECTS = {
    "nir": Dialect(),
    # The step is 1e-4 s in its code, whatever the network's.
    "snntorch": Dialect(step=1e-4, firing=Firing(delay=1)),
    # Version 1.1.0 multiplies by its `dt` of 1e-3 s, and does not scale the input of a synapse. In seconds: "nir".
    "norse": Dialect(second=1e-3, w_in="unscaled", rate="per_step", firing=Firing(reset="zero")),
    "sinabs": Dialect("exponential", step=1.0, rate="per_step", firing=Firing(max_spikes=MANY, at_threshold="fires")),
    "spikingjelly": Dialect(firing=Firing(reset="zero", at_threshold="fires")),
    "spyx": Dialect(
        r="unscaled",
        w_in="unscaled",
        rate="per_step",
        input_at="synapse",
        firing=Firing(delay=1, emit="old"),
        firing_cuba=Firing(emit="old"),
    ),
    "jaxpike": Dialect("exponential"),
    "rockpool": Dialect(
        "exponential", r="unscaled", w_in="decayed", firing=Firing(max_spikes=MANY, at_threshold="fires")
    ),
    "hxtorch": Dialect(second=1e3),
}
