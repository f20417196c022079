"""Analog values and signals as spike trains (steps, ...), and back."""

from ._camera import EventCamera as EventCamera
from ._delta import DeltaModulator as DeltaModulator
from ._latency import ChargingLatency as ChargingLatency
from ._latency import LinearLatency as LinearLatency
from ._latency import first_spike_time as first_spike_time
from ._population import Population as Population
from ._rate import Poisson as Poisson
from ._rate import Rate as Rate
from ._trace import exponential_trace as exponential_trace
