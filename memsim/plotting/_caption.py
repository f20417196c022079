"""What must stand beside a figure so that a reader can judge it: what was counted, what a band is, where it is from."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._checks import checked
from ._style import WANTED, font

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure

# Dimensions of which chance decided, and what they are called, from the outermost.
COUNTED = {"seed": "training seeds", "chip": "chips", "moment": "moments", "read": "reads", "draw": "draws"}
COUNTED |= {"graph": "graphs", "formula": "formulas", "run": "runs", "recording": "recordings", "sample": "inputs"}
COUNTED |= {"cell": "cells"}
SHARES = {  # what circuits.py of a result tells beside accuracies, in percent
    "adc_clipped": "currents beyond the ADC",
    "dac_clipped": "inputs beyond the DAC",
    "ir_loss": "voltage lost in wires",
    "noise_share": "share of noise in outputs",
    "spike_rate": "spikes a neuron and step",
}


@checked()
def describe(figure: "Figure", words: str) -> None:
    """Keeps with `figure` what its lines, bands and letters are, for `caption`; nothing of it is drawn.

    >>> from matplotlib.figure import Figure
    >>> import memsim as ms
    >>> figure = Figure()
    >>> ms.plotting.describe(figure, "Bars: 95 % interval of the mean over chips.")
    >>> figure.get_label()
    'Bars: 95 % interval of the mean over chips.'
    """
    figure.set_label(words)


@checked()
def caption(
    figure: "Figure",
    result: "xr.Dataset | None" = None,
    *,
    title: str | None = None,
    command: str | None = None,
    file: Path | str | None = None,
) -> str:
    """The text beside `figure`: what is drawn, of how many chips, seeds and draws, under which conditions, made how.

    A line a matter, each with its name in front; what is not known is left out.

    **Arguments:**

    - `figure`: Of a function of `memsim.plotting`, or one that was told by `describe` what it shows.
    - `result`: The data set that was drawn: its dimensions are counted, its attributes tell settings and origin.
    - `title`: One sentence before all else.
    - `command`: What drew the figure.
    - `file`: The file of `result`; its name is written, not its folder.

    >>> import memsim as ms, numpy as np, xarray as xr
    >>> data = xr.Dataset({"accuracy": (("chip", "time"), np.ones((20, 2)))}, {"time": [1.0, 100.0]})
    >>> print(ms.plotting.caption(ms.plotting.accuracy_over_time(data), data).splitlines()[1])
    Counted: 20 chips
    """
    lines = [title, " ".join(str(figure.get_label()).split()) or None]
    if result is not None:
        lines += [_counted(result), _shares(result), _conditions(result), _data(result)]
    lines += [f"Drawn by: {command}" if command else None]
    if result is not None:
        lines += [_origin(result, file)]
    lines += [f"Type: {font()}{'' if font() in WANTED else ', since Arial is not installed'}"]
    return "\n".join(line for line in lines if line)


def _counted(result: "xr.Dataset") -> str | None:
    packed = {int(each.attrs["recordings"]) for each in result.data_vars.values() if "recordings" in each.attrs}
    other = {name for name in result.coords if result[name].dtype.kind in "UO"}  # kinds of cells are not cells
    other |= {"recording"} if packed else set()
    other |= set() if "joules" in result else {"sample"}
    names = [name for name in COUNTED if name in result.sizes and name not in other]
    found = [f"{result.sizes[name]} {COUNTED[name]}" for name in names]
    found += [f"{number} test recordings" for number in sorted(packed)]
    one = [each.removesuffix("s") if each.startswith("1 ") else each for each in found]
    return f"Counted: {', '.join(one)}" if one else None


def _shares(result: "xr.Dataset") -> str | None:
    said = []
    for name, words in SHARES.items():
        if name in result.data_vars and result[name].notnull().any():
            low, high = (100 * float(each) for each in (result[name].min(), result[name].max()))
            said.append(f"{words} {low:.2g} to {high:.2g} %")
    return f"Beside accuracy: {'; '.join(said)}" if said else None


def _conditions(result: "xr.Dataset") -> str | None:
    settings = _mapping(result.attrs.get("config"))
    said = [
        f"{name.replace('_', ' ')} {_short(value)}"
        for name, value in settings.items()
        if name not in ("out", "quick") and value is not None
    ]
    span = result.attrs.get("span", "not stated")
    said += [] if span == "not stated" else [f"cells measured over {span}"]
    if settings.get("quick"):
        said.insert(0, "A QUICK RUN, WHOSE NUMBERS MEAN NOTHING")
    return f"Settings: {'; '.join(said)}" if said else None


def _data(result: "xr.Dataset") -> str | None:
    return f"Data: {result.attrs['data']}" if "data" in result.attrs else None


def _origin(result: "xr.Dataset", file: Path | str | None) -> str | None:
    of, made = result.attrs, _mapping(result.attrs.get("versions"))
    said = [Path(file).name] if file is not None else []
    said += [f"memsim {made['memsim']}"] if "memsim" in made else []
    said += [f"commit {of['git']}"] if "git" in of else []
    said += [f"source {str(of['source'])[:16]}"] if "source" in of else []
    said += [f"{name} {made[name]}" for name in ("jax", "equinox", "numpy", "python") if name in made]
    said += [f"{name} {of[name]}" for name in ("backend", "x64") if name in of]
    return f"Result: {', '.join(said)}" if said else None


def _short(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_short, value))
    if isinstance(value, str) and Path(value).is_absolute():  # whose machine it was is nobody's matter
        return Path(value).name
    return f"{value:g}" if isinstance(value, float) else str(value)


def _mapping(text: Any) -> Mapping[str, Any]:
    """What JSON text holds; nothing where it is none."""
    try:
        found = json.loads(text)
    except (TypeError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
