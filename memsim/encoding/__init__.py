"""Analog values and signals as spike trains (steps, ...), complex ones as real ones, and back."""

from ._camera import EventCamera as EventCamera
from ._complex import real_block as real_block
from ._complex import to_complex as to_complex
from ._complex import to_real as to_real
from ._delta import DeltaModulator as DeltaModulator
from ._latency import ChargingLatency as ChargingLatency
from ._latency import LinearLatency as LinearLatency
from ._latency import first_spike_time as first_spike_time
from ._population import Population as Population
from ._rate import Poisson as Poisson
from ._rate import Rate as Rate
from ._trace import exponential_trace as exponential_trace

__all__ = [
    "ChargingLatency",
    "DeltaModulator",
    "EventCamera",
    "LinearLatency",
    "Poisson",
    "Population",
    "Rate",
    "exponential_trace",
    "first_spike_time",
    "real_block",
    "to_complex",
    "to_real",
]
