"""What is saved, and what comes from elsewhere: models, weights, networks, chips."""

from ._arrays import read_arrays as read_arrays
from ._conductances import chip_from_conductances as chip_from_conductances
from ._conductances import conductances as conductances
from ._netlist import netlist as netlist
from ._onnx_import import from_onnx as from_onnx
from ._save import load as load
from ._save import save as save
from ._weights import load_weights as load_weights

__all__ = [
    "chip_from_conductances",
    "conductances",
    "from_onnx",
    "load",
    "load_weights",
    "netlist",
    "read_arrays",
    "save",
]
