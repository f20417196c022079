"""Journal styles, captions, and the standard figures of the field, drawn from result data sets."""

from ._caption import caption as caption
from ._caption import describe as describe
from ._lines import draw_accuracy as draw_accuracy
from ._lines import draw_interval as draw_interval
from ._lines import draw_line as draw_line
from ._lines import draw_spread as draw_spread
from ._lines import measured_along as measured_along
from ._names import readable as readable
from ._portrait._portrait import portrait as portrait
from ._save import save as save
from ._standard._accuracy import accuracy_over_noise as accuracy_over_noise
from ._standard._accuracy import accuracy_over_time as accuracy_over_time
from ._standard._attribution import attribution as attribution
from ._standard._bits import accuracy_over_bits as accuracy_over_bits
from ._standard._cells import conductance_drift as conductance_drift
from ._standard._cells import programming_error as programming_error
from ._standard._chips import chip_to_chip as chip_to_chip
from ._standard._confusion import confusion as confusion
from ._standard._distributions import distributions as distributions
from ._standard._energy import energy as energy
from ._standard._energy import energy_breakdown as energy_breakdown
from ._standard._energy import pareto as pareto
from ._standard._loops import hysteresis as hysteresis
from ._standard._products import mvm_scatter as mvm_scatter
from ._standard._pulses import staircase as staircase
from ._standard._spikes import raster as raster
from ._standard._wires import ir_drop as ir_drop
from ._style import COLOURS as COLOURS
from ._style import JOURNALS as JOURNALS
from ._style import MARKERS as MARKERS
from ._style import Journal as Journal
from ._style import font as font
from ._style import letter_panels as letter_panels
from ._style import look as look
from ._style import style as style
from ._style import width as width
from ._time import label_time as label_time
from ._time import shown_time as shown_time

__all__ = [
    "COLOURS",
    "JOURNALS",
    "MARKERS",
    "Journal",
    "accuracy_over_bits",
    "accuracy_over_noise",
    "accuracy_over_time",
    "attribution",
    "caption",
    "chip_to_chip",
    "conductance_drift",
    "confusion",
    "describe",
    "distributions",
    "draw_accuracy",
    "draw_interval",
    "draw_line",
    "draw_spread",
    "energy",
    "energy_breakdown",
    "font",
    "hysteresis",
    "ir_drop",
    "label_time",
    "letter_panels",
    "look",
    "measured_along",
    "mvm_scatter",
    "pareto",
    "portrait",
    "programming_error",
    "raster",
    "readable",
    "save",
    "shown_time",
    "staircase",
    "style",
    "width",
]
