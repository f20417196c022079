"""A model with the numbers of a design that are trained as its weights are."""

import dataclasses
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.tree_util import GetAttrKey
from jaxtyping import Array, Float

from device_models import AbstractDevice, Within, WriteVerify

from ..._array import ADC, DAC, Crossbar, PulseWidthDAC, SenseAmplifier
from ...nn import MixedSignal, PerLayer, analog_layers
from ...nn._designing import AbstractDesigning, Unnamed
from ...nn._mixed_signal import Designs, crossbar_of
from .._periphery import Periphery
from .._relaxed import Between, RelaxedADC, RelaxedDAC
from ._free import Free, Knob
from ._verified import Verified

Knobs = dict[str, dict[str, Knob]]


@jax.tree_util.register_pytree_with_keys_class
class Designed(AbstractDesigning):
    """`model` with the `knobs` of its design: wherever it is programmed, they take the place of the design's numbers.

    **Arguments:**

    - `model`: Digital, perhaps with ranges of its own.
    - `knobs`: By name and path.
    - `free`: Between which ends they are.
    """

    model: Any
    knobs: Knobs
    free: Free

    def __init__(self, model: Any, knobs: Knobs, free: Free):
        self.model, self.knobs, self.free = model, knobs, free

    def value(self, name: str, path: str = "") -> Float[Array, ""] | None:
        """Of a knob; `None` where there is none."""
        knob = self.knobs.get(name, {}).get(path)
        return None if knob is None else knob.value

    def design(self, crossbar: Designs) -> PerLayer | MixedSignal:
        layers = analog_layers(self.model)
        designs = {path: self._turned(path, crossbar_of(crossbar, path, layer)) for path, layer in layers.items()}
        per_layer = PerLayer(designs)
        return MixedSignal(per_layer, crossbar.neurons) if isinstance(crossbar, MixedSignal) else per_layer

    def around(self, periphery: Periphery) -> Periphery:
        """`periphery`, whose converters may have broken bits."""
        if self.free.adc_bits is None or "adc_bits" not in self.knobs:
            return periphery
        return dataclasses.replace(periphery, adc=Between(periphery.adc, *self.free.adc_bits))

    def plain(self, crossbar: Designs) -> PerLayer | MixedSignal:
        """`design` in plain numbers, with whole bits."""
        found = self.design(crossbar)
        per_layer = found.synapses if isinstance(found, MixedSignal) else found
        assert isinstance(per_layer, PerLayer)
        plain = PerLayer({path: None if one is None else _plain(one) for path, one in per_layer.designs.items()})
        return MixedSignal(plain, found.neurons) if isinstance(found, MixedSignal) else plain

    def holding(self, model: Any) -> "Designed":
        return Designed(model, self.knobs, self.free)

    def _turned(self, path: str, design: Crossbar | None) -> Crossbar | None:
        if design is None:
            return None
        turned = dataclasses.replace(
            design,
            device=self._device(design.device),
            reads=dataclasses.replace(design.reads, v_read=self._or("v_read", design.reads.v_read)),
            adc=_relaxed_adc(design.adc, self.value("adc_bits", path)),
            dac=_relaxed_dac(design.dac, self.value("dac_bits", path)),
        )
        sense = design.reads.sense
        if sense is None or (turned.one_cell is design.one_cell and "v_read" not in self.knobs):
            return turned
        amperes = sense.noise * design.one_cell * design.reads.v_read
        noise = amperes / (turned.one_cell * turned.reads.v_read)
        return eqx.tree_at(lambda one: one.reads.sense, turned, _with_noise(sense, noise))

    def _or(self, name: str, otherwise: Any) -> Any:
        found = self.value(name)
        return otherwise if found is None else found

    def _device(self, device: AbstractDevice) -> AbstractDevice:
        window, most = self.value("window"), self.value("g_max")
        if window is not None and isinstance(device, WriteVerify):
            device = Verified(dataclasses.replace(device, window=window))  # pyright: ignore[reportCallIssue]
        return device if most is None else Within(device, high=most)  # pyright: ignore[reportCallIssue]

    def tree_flatten_with_keys(self) -> tuple[tuple[tuple[Any, Any], ...], Free]:
        return ((Unnamed(), self.model), (GetAttrKey("knobs"), self.knobs)), self.free

    @classmethod
    def tree_unflatten(cls, aux: Free, children: Any) -> "Designed":
        made = object.__new__(cls)
        made.model, made.knobs = children
        made.free = aux
        return made


def _plain(design: Crossbar) -> Crossbar:
    """With converters, cells and numbers as a user would write them."""
    adc, dac, device = design.adc, design.dac, design.device
    if isinstance(adc, RelaxedADC):
        adc = ADC(round(float(adc.resolution)), adc.full_scale)
    if isinstance(dac, RelaxedDAC):
        dac = (PulseWidthDAC if dac.fixed else DAC)(round(float(dac.resolution)), dac.input_range)
    if isinstance(device, Within):
        inner = device.device.device if isinstance(device.device, Verified) else device.device
        device = Within(device=inner, low=device.low, high=device.high)  # pyright: ignore[reportCallIssue]
    elif isinstance(device, Verified):
        device = device.device
    return jax.tree.map(as_number, dataclasses.replace(design, adc=adc, dac=dac, device=device))


def as_number(leaf: Any) -> Any:
    """A float in the place of an array of one."""
    one = isinstance(leaf, jax.Array) and leaf.ndim == 0 and jnp.issubdtype(leaf.dtype, jnp.floating)
    return float(leaf) if one else leaf


def _with_noise(sense: SenseAmplifier, noise: Any) -> SenseAmplifier:
    return dataclasses.replace(sense, noise=noise)


def _relaxed_adc(adc: Any, bits: Array | None) -> Any:
    if bits is None or not isinstance(adc, ADC):
        return adc
    return RelaxedADC(resolution=bits, full_scale=adc.full_scale)  # pyright: ignore[reportCallIssue]


def _relaxed_dac(dac: Any, bits: Array | None) -> Any:
    if bits is None or not isinstance(dac, DAC | PulseWidthDAC):
        return dac
    fixed = isinstance(dac, PulseWidthDAC)
    return RelaxedDAC(resolution=bits, input_range=dac.input_range, fixed=fixed)  # pyright: ignore[reportCallIssue]
