"""Spiking layers with weights that are digital, or a chip."""

from ._calibrate import PerLayer as PerLayer
from ._calibrate import calibrate as calibrate
from ._calibrate import clipping as clipping
from ._deploy import analog_layers as analog_layers
from ._deploy import at as at
from ._deploy import deploy as deploy
from ._deploy import program as program
from ._lif import LIF as LIF
from ._linear import Linear as Linear
from ._network import SpikingNetwork as SpikingNetwork
from ._neuron import AbstractNeuron as AbstractNeuron
from ._readout import LI as LI
from ._recurrent import Recurrent as Recurrent
from ._surrogate import AbstractSurrogate as AbstractSurrogate
from ._surrogate import Arctan as Arctan
from ._surrogate import Boxcar as Boxcar
from ._surrogate import Sigmoid as Sigmoid
from ._surrogate import SuperSpike as SuperSpike
from ._surrogate import Triangle as Triangle
