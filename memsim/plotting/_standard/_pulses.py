"""Weight against pulses up and down."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ..._checks import checked
from .._caption import describe
from .._names import readable
from .._style import COLOURS, letter_panels, style
from ._parts import BAND, below, check_has, in_rows, percentiles

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS, EXAMPLES = 4, 2  # panels a row; single devices in each


@checked()
def staircase(result: "xr.Dataset", *, label: Mapping[str, str] | None = None, journal: str = "neutral") -> "Figure":
    """Potentiation and depression, a panel a device: single ones, mean and spread over devices, the nominal curve.

    **Arguments:**

    - `result`: `weight` over (device, read, cell), `nominal` and `pulses` over (device, read), and, if a device cannot
      go down, `one_sided` over (device): of `memsim run pulse_response`.
    - `label`: What devices are called, see `readable`.
    - `journal`: A name of `memsim.plotting.JOURNALS`.

    **Raises:** `ValueError` for another data set.

    >>> import memsim as ms, numpy as np, xarray as xr
    >>> ramp = np.concatenate([np.linspace(-1, 1, 9), np.linspace(1, -1, 9)])[None]
    >>> stairs = xr.Dataset({"nominal": (("device", "read"), ramp)})
    >>> stairs = stairs.assign(pulses=(("device", "read"), np.arange(18)[None]))
    >>> stairs = stairs.assign(weight=stairs.nominal.expand_dims(cell=20, axis=-1)).assign_coords(device=["mine"])
    >>> ms.plotting.staircase(stairs).axes[0].get_ylabel()
    'Weight'
    """
    check_has(
        result,
        ("weight", "nominal", "pulses", "device"),
        "`memsim run pulse_response`",
        over=("device", "read", "cell"),
    )
    with style(journal):
        figure, panels = in_rows(journal, result.sizes["device"], COLUMNS, height=0.25)
        for axes, name in zip(panels, result.device.values, strict=True):
            _panel(axes, result.sel(device=name))
            axes.set_title(readable(str(name), label).replace(" (", "\n("))
        for axes in panels[::COLUMNS]:
            axes.set_ylabel("Weight")
        for axes in panels[-COLUMNS:]:
            axes.set_xlabel("Pulses")
        below(figure, panels[0])
        letter_panels(panels)
        describe(
            figure,
            "Pulses up, then down (from the grey line on; dotted: reset and up again, of a device that cannot go "
            "down). Bands: 5th to 95th percentile over devices, each with its own parameters and noise of each "
            "pulse",
        )
    return figure


def _panel(axes: "Axes", data: "xr.Dataset") -> None:
    from matplotlib.ticker import EngFormatter

    pulses, weight = data.pulses.values, data.weight.transpose("read", "cell").values
    low, _, high = percentiles(weight, axis=1)
    axes.fill_between(pulses, low, high, color=COLOURS[2], alpha=BAND, linewidth=0, label="5 to 95 % of devices")
    for example in range(min(EXAMPLES, weight.shape[1])):
        label = "single devices" if example == 0 else None
        axes.plot(pulses, weight[:, example], color=COLOURS[1], linewidth=0.5, label=label)
    axes.plot(pulses, weight.mean(1), color=COLOURS[2], label="mean over devices")
    axes.plot(pulses, data.nominal.values, color=COLOURS[0], linestyle="--", label="nominal, without noise")
    turns = ":" if "one_sided" in data and bool(np.any(data.one_sided)) else "-"
    axes.axvline(pulses[len(pulses) // 2], color="0.6", linewidth=0.5, linestyle=turns)
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.locator_params(axis="x", nbins=3)
