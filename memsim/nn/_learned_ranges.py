"""Converter ranges that are trained together with the weights of a model."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.tree_util import GetAttrKey
from jaxtyping import Array, Float

from .._array import AbstractDAC, Crossbar, SwitchedADC, SwitchedDAC, UnlimitedADC, UnlimitedDAC
from .._checks import checked, described
from ._analog_layers import analog_layers
from ._designing import AbstractDesigning, Unnamed
from ._mixed_signal import DESIGNS, Designs, MixedSignal, check_designs, crossbar_of
from ._per_layer import PerLayer

Logs = dict[str, Float[Array, "..."]]


@jax.tree_util.register_pytree_with_keys_class
class LearnedRanges(AbstractDesigning):
    r"""A model with ranges of the converters of its layers, which are trained as its weights are; called as the model.

    `memsim.train.fit(LearnedRanges(model, design), data, hardware=SampledChip(design), key=key)` trains both: wherever
    it is programmed, the input range of a DAC and the full scale of an ADC are those learned here, whatever the design
    says, which keeps all else. So do `program`, `deploy`, and what calls them, such as `robustness`; `design(crossbar)`
    gives the designs for the trained `model` alone. Layers have the paths that they have in the model.

    Converters pass gradients straight through their rounding, and clip. So a value $x$ of a converter with the range
    $r$ and $\pm L$ codes, $x_q = (r / L)\,\mathrm{round}(x L / r)$, has the derivative
    $\partial x_q / \partial r = (x_q - x) / r$ inside the range, that of a learned step size, and $\pm 1$ outside,
    that of a learned clip. What is trained is $\ln r$, so that ranges stay positive.

    **Arguments:**

    - `model`: Digital.
    - `design`: Where ranges start, best those of `memsim.calibrate`; a full scale of `None` from what a tile can carry.

    Raises `ValueError` for designs without any converter.

    Reference: Esser2020 for the step size; Choi2018 for the clip.

    >>> import equinox as eqx, jax.numpy as jnp, jax.random as jr, device_models as dm, memsim as ms
    >>> model = ms.nn.convert(eqx.nn.MLP(4, 2, 8, 1, key=jr.key(0)))
    >>> design = ms.Crossbar(dm.Ideal(), dac=ms.DAC(8, input_range=2.0))
    >>> learned = ms.nn.LearnedRanges(model, design)
    >>> {path: float(jnp.exp(log)) for path, log in learned.log_input_ranges.items()}
    {'.layers[0]': 2.0, '.layers[1]': 2.0}
    """

    model: Any
    log_input_ranges: Logs
    log_full_scales: Logs

    @checked(design=DESIGNS)
    def __init__(self, model: Any, design: Designs):
        check_designs(design)
        if isinstance(model, LearnedRanges):
            raise ValueError("`model` must be a model without learned ranges. Got a LearnedRanges; pass its `model`.")
        self.model, self.log_input_ranges, self.log_full_scales = model, {}, {}
        for path, layer in analog_layers(model).items():
            crossbar = crossbar_of(design, path, layer)
            if crossbar is not None and crossbar.dac is not None:
                self.log_input_ranges[path] = _log(crossbar.dac.input_range)
            if crossbar is not None and crossbar.adc is not None:
                full = crossbar.adc.full_scale
                lines = layer.weight.shape[-1] if isinstance(layer.weight, Array) else crossbar.tile[0]
                self.log_full_scales[path] = _log(min(crossbar.tile[0], lines) if full is None else full)
        if not self.log_input_ranges and not self.log_full_scales:
            raise ValueError(
                "`design` must give at least one layer a converter whose range is learned. Got none for "
                f"{', '.join(analog_layers(model)) or described(model)}. Such as `Crossbar(device, adc=ADC(8))`."
            )

    @property
    def input_ranges(self) -> dict[str, Float[Array, "..."]]:
        """Of the DACs, by path of the layer, in the units of its inputs."""
        return {path: jnp.exp(log) for path, log in self.log_input_ranges.items()}

    @property
    def full_scales(self) -> dict[str, Float[Array, "..."]]:
        """Of the ADCs, by path of the layer, in units of one fully-on cell at full input."""
        return {path: jnp.exp(log) for path, log in self.log_full_scales.items()}

    @checked(crossbar=DESIGNS)
    def design(self, crossbar: Designs) -> PerLayer | MixedSignal:
        """A design for each layer: `crossbar` with the ranges found here. A converter without one keeps its own."""
        check_designs(crossbar)
        layers = analog_layers(self.model)
        designs = {path: self._ranged(path, crossbar_of(crossbar, path, layer)) for path, layer in layers.items()}
        per_layer = PerLayer(designs)
        return MixedSignal(per_layer, crossbar.neurons) if isinstance(crossbar, MixedSignal) else per_layer

    def holding(self, model: Any) -> "LearnedRanges":
        """The same ranges, of `model`."""
        return self.tree_unflatten(None, (model, self.log_input_ranges, self.log_full_scales))

    def _ranged(self, path: str, design: Crossbar | None) -> Crossbar | None:
        inputs, full = self.input_ranges.get(path), self.full_scales.get(path)
        if design is not None and design.dac is not None and inputs is not None:
            design = eqx.tree_at(lambda d: d.dac, design, _with_range(design.dac, "input_range", inputs))
        if design is not None and design.adc is not None and full is not None:
            adc = _with_range(design.adc, "full_scale", full)
            adc.check_slices(len(design.mapping.weights))
            design = eqx.tree_at(lambda d: d.adc, design, adc)
        return design

    def tree_flatten_with_keys(self) -> tuple[tuple[tuple[Any, Any], ...], None]:
        names = ("log_input_ranges", "log_full_scales")
        return ((Unnamed(), self.model), *((GetAttrKey(name), getattr(self, name)) for name in names)), None

    @classmethod
    def tree_unflatten(cls, aux: None, children: Any) -> "LearnedRanges":
        made = object.__new__(cls)
        made.model, made.log_input_ranges, made.log_full_scales = children
        return made


def _log(value: Any) -> Float[Array, "..."]:
    return jnp.log(jnp.asarray(value, jnp.result_type(float)))


def _with_range(converter: Any, name: str, value: Array) -> Any:
    if isinstance(converter, UnlimitedDAC | UnlimitedADC | SwitchedDAC | SwitchedADC):  # as attribution has them
        inner = "dac" if isinstance(converter, AbstractDAC) else "adc"
        limited = _with_range(getattr(converter, inner), name, value)
        return eqx.tree_at(lambda made: getattr(made, inner), converter, limited)
    return eqx.tree_at(lambda made: getattr(made, name), converter, value, is_leaf=lambda leaf: leaf is None)
