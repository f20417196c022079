"""Spiking layers with weights that are digital, or a chip."""

from ._analog_layers import analog_layers as analog_layers
from ._batch_norm import adapt_batch_norm as adapt_batch_norm
from ._batch_norm import fold_batch_norm as fold_batch_norm
from ._calibrate import calibrate as calibrate
from ._calibrate import clipping as clipping
from ._calling import call as call
from ._convert import convert as convert
from ._convert import with_read_keys as with_read_keys
from ._deploy import at as at
from ._deploy import deploy as deploy
from ._deploy import neurons as neurons
from ._deploy import program as program
from ._diagnose import Diagnosis as Diagnosis
from ._diagnose import diagnose as diagnose
from ._initialise import fluctuation_driven as fluctuation_driven
from ._layer import AbstractLayer as AbstractLayer
from ._learned_ranges import LearnedRanges as LearnedRanges
from ._mixed_signal import MixedSignal as MixedSignal
from ._mixed_signal import NeuronCircuit as NeuronCircuit
from ._mixed_signal import NoisyNeuron as NoisyNeuron
from ._networks._graph import Graph as Graph
from ._networks._network import AbstractNetwork as AbstractNetwork
from ._networks._network import SpikingNetwork as SpikingNetwork
from ._networks._recurrent import Recurrent as Recurrent
from ._neurons._adex import AdEx as AdEx
from ._neurons._alif import ALIF as ALIF
from ._neurons._cuba_li import CuBaLI as CuBaLI
from ._neurons._cuba_lif import CuBaLIF as CuBaLIF
from ._neurons._firing import Firing as Firing
from ._neurons._if import IF as IF
from ._neurons._integrator import Integrator as Integrator
from ._neurons._izhikevich import IZHIKEVICH_2003 as IZHIKEVICH_2003
from ._neurons._izhikevich import Izhikevich as Izhikevich
from ._neurons._izhikevich import izhikevich_2003 as izhikevich_2003
from ._neurons._li import LI as LI
from ._neurons._lif import LIF as LIF
from ._neurons._neuron import AbstractNeuron as AbstractNeuron
from ._neurons._parallel import ParallelInTime as ParallelInTime
from ._neurons._parameters import Positive as Positive
from ._neurons._resonate import ResonateAndFire as ResonateAndFire
from ._neurons._spiking import AbstractSpiking as AbstractSpiking
from ._neurons._surrogate import AbstractSurrogate as AbstractSurrogate
from ._neurons._surrogate import Arctan as Arctan
from ._neurons._surrogate import Boxcar as Boxcar
from ._neurons._surrogate import Gaussian as Gaussian
from ._neurons._surrogate import MultiGaussian as MultiGaussian
from ._neurons._surrogate import Sigmoid as Sigmoid
from ._neurons._surrogate import Slayer as Slayer
from ._neurons._surrogate import StraightThrough as StraightThrough
from ._neurons._surrogate import SuperSpike as SuperSpike
from ._neurons._surrogate import Triangle as Triangle
from ._per_layer import PerLayer as PerLayer
from ._stateful import Stateful as Stateful
from ._synapses._conv import AbstractConv as AbstractConv
from ._synapses._conv import Conv1d as Conv1d
from ._synapses._conv import Conv2d as Conv2d
from ._synapses._conv import Conv3d as Conv3d
from ._synapses._conv_transpose import ConvTranspose1d as ConvTranspose1d
from ._synapses._conv_transpose import ConvTranspose2d as ConvTranspose2d
from ._synapses._conv_transpose import ConvTranspose3d as ConvTranspose3d
from ._synapses._delay import Delay as Delay
from ._synapses._delayed_linear import DelayedLinear as DelayedLinear
from ._synapses._embedding import Embedding as Embedding
from ._synapses._gated import GRUCell as GRUCell
from ._synapses._gated import LSTMCell as LSTMCell
from ._synapses._linear import Linear as Linear
from ._synapses._pool import AvgPool1d as AvgPool1d
from ._synapses._pool import AvgPool2d as AvgPool2d
from ._synapses._pool import Flatten as Flatten
from ._synapses._pool import SumPool1d as SumPool1d
from ._synapses._pool import SumPool2d as SumPool2d
from ._synapses._scale import Scale as Scale
from ._synapses._synapse import AbstractAnalog as AbstractAnalog
from ._synapses._synapse import AbstractSynapse as AbstractSynapse
from ._synapses._synapse import KeyedMatrix as KeyedMatrix
from ._synapses._synapse import Stateless as Stateless
from ._synapses._threshold import Threshold as Threshold
from ._target_rate import scaled_to_rate as scaled_to_rate

__all__ = [
    "ALIF",
    "IF",
    "IZHIKEVICH_2003",
    "LI",
    "LIF",
    "AbstractAnalog",
    "AbstractConv",
    "AbstractLayer",
    "AbstractNetwork",
    "AbstractNeuron",
    "AbstractSpiking",
    "AbstractSurrogate",
    "AbstractSynapse",
    "AdEx",
    "Arctan",
    "AvgPool1d",
    "AvgPool2d",
    "Boxcar",
    "Conv1d",
    "Conv2d",
    "Conv3d",
    "ConvTranspose1d",
    "ConvTranspose2d",
    "ConvTranspose3d",
    "CuBaLI",
    "CuBaLIF",
    "Delay",
    "DelayedLinear",
    "Diagnosis",
    "Embedding",
    "Firing",
    "Flatten",
    "GRUCell",
    "Gaussian",
    "Graph",
    "Integrator",
    "Izhikevich",
    "KeyedMatrix",
    "LSTMCell",
    "LearnedRanges",
    "Linear",
    "MixedSignal",
    "MultiGaussian",
    "NeuronCircuit",
    "NoisyNeuron",
    "ParallelInTime",
    "PerLayer",
    "Positive",
    "Recurrent",
    "ResonateAndFire",
    "Scale",
    "Sigmoid",
    "Slayer",
    "SpikingNetwork",
    "Stateful",
    "Stateless",
    "StraightThrough",
    "SumPool1d",
    "SumPool2d",
    "SuperSpike",
    "Threshold",
    "Triangle",
    "adapt_batch_norm",
    "analog_layers",
    "at",
    "calibrate",
    "call",
    "clipping",
    "convert",
    "deploy",
    "diagnose",
    "fluctuation_driven",
    "fold_batch_norm",
    "izhikevich_2003",
    "neurons",
    "program",
    "scaled_to_rate",
    "with_read_keys",
]
