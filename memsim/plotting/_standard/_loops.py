"""Current against voltage of memristors, pinched where the voltage is zero."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ..._checks import checked
from .._caption import describe
from .._names import readable
from .._style import COLOURS, letter_panels, style
from ._parts import below, check_has, engineering, in_rows, prefixed, title_two

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LINES = ("-", "--", ":", "-.")
DECADES = 6.0  # below the largest current, that the logarithmic panel shows


@checked()
def hysteresis(result: "xr.Dataset", *, label: Mapping[str, str] | None = None, journal: str = "neutral") -> "Figure":
    """Pinched loops of memristors at several frequencies, two panels a model: linear, and the size of the current.

    **Arguments:**

    - `result`: `current` in amperes and `voltage` in volts over (model, factor, and the points of a cycle), `frequency`
      in hertz over (model, factor): of `memsim run hysteresis`.
    - `label`: What models are called, see `readable`.
    - `journal`: A name of `memsim.plotting.JOURNALS`.

    **Raises:** `ValueError` for another data set.

    >>> import memsim as ms, numpy as np, xarray as xr
    >>> swing = np.sin(np.linspace(0, 2 * np.pi, 49))[None, None]
    >>> names = ("model", "factor", "step")
    >>> loop = xr.Dataset({"voltage": (names, swing), "current": (names, 1e-3 * swing)})
    >>> loop = loop.assign(frequency=(names[:2], [[1.0]])).assign_coords(model=["mine"], factor=[1.0])
    >>> ms.plotting.hysteresis(loop).axes[0].get_ylabel()
    'Current (mA)'
    """
    check_has(
        result,
        ("current", "voltage", "frequency", "model", "factor"),
        "`memsim run hysteresis`",
        over=("model", "factor"),
    )
    with style(journal):
        figure, panels = in_rows(journal, 2 * result.sizes["model"], 6, height=0.2, every=2)
        for name, linear, sizes in zip(result.model.values, panels[::2], panels[1::2], strict=True):
            one = result.sel(model=name)
            _loops(linear, sizes, one)
            base = engineering(float(one.frequency.isel(factor=0) / one.factor[0]), "Hz")
            title_two(linear, f"{readable(str(name), label)}, $f$ = {base}")
        below(figure, panels[0])
        letter_panels(panels[::2])
        describe(
            figure,
            "Pairs of panels, a model each: current against voltage in the steady cycle of a sine, and the size of the "
            "current on a logarithmic axis, at a frequency that opens the loop and at multiples of it (solid, dashed, "
            "dotted). Deterministic equations: there is no spread",
        )
    return figure


def _loops(linear: "Axes", sizes: "Axes", data: "xr.Dataset") -> None:
    most = float(np.abs(data.current).max())
    scale, prefix = prefixed(most)
    for place, factor in enumerate(data.factor.values):
        one = data.sel(factor=factor)
        label = "$f$" if factor == 1 else f"{factor:g} $f$"
        look = {"color": COLOURS[place % 7], "linestyle": LINES[place % 4], "linewidth": 0.8}
        current = np.asarray(one.current)
        linear.plot(one.voltage, current / scale, label=label, **look)
        size = np.abs(current)
        sizes.plot(one.voltage, np.where(size > most * 10**-DECADES, size, np.nan), **look)
    for line in (linear.axhline, linear.axvline):
        line(0, color="0.8", linewidth=0.5, zorder=0)
    sizes.set_yscale("log")
    sizes.minorticks_off()
    linear.set(xlabel="Voltage (V)", ylabel=f"Current ({prefix}A)")
    sizes.set(xlabel="Voltage (V)", ylabel="|Current| (A)")
