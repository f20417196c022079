"""Journal styles, and the standard figures drawn from result data sets."""

from ._energy import energy as energy
from ._figures import accuracy_over_time as accuracy_over_time
from ._figures import attribution as attribution
from ._lines import draw_accuracy as draw_accuracy
from ._lines import draw_line as draw_line
from ._lines import draw_spread as draw_spread
from ._lines import measured_along as measured_along
from ._style import COLOURS as COLOURS
from ._style import MARKERS as MARKERS
from ._style import letter_panels as letter_panels
from ._style import save as save
from ._style import style as style
from ._style import width as width
from ._time import label_time as label_time
from ._time import shown_time as shown_time

__all__ = [
    "COLOURS",
    "MARKERS",
    "accuracy_over_time",
    "attribution",
    "draw_accuracy",
    "draw_line",
    "draw_spread",
    "energy",
    "label_time",
    "letter_panels",
    "measured_along",
    "save",
    "shown_time",
    "style",
    "width",
]
