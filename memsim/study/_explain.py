"""What `attribute` found, as a table and in words."""

from typing import TYPE_CHECKING, Any

import numpy as np

from .._checks import checked, whole
from ._factors import interval_over
from ._interval import Interval, interval
from ._right import best_of, difference
from ._spans import beyond

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

WORTH_SAYING = 0.005  # of accuracy, and of clipped values; less is not mentioned


@checked(time=whole(0))
def attribution_table(result: "xr.Dataset", time: int = 0) -> "pd.DataFrame":
    """One row an effect, at the time of that index: points of accuracy with 95 % intervals, and errors.

    `cost_alone` is what is lost when the effect is the only one, `gain_left_out` what is won when it alone is removed,
    both paired by chip and recording; the intervals are those of `memsim.study.interval`, and `interval_over` says over
    what. `worst_layer` is the one whose output it disturbs most by itself, `worst_snr` its signal-to-noise ratio in dB.
    `measured` says whether cells of that age were. Raises `ValueError` for a result of another kind.

    >>> import equinox as eqx, jax, jax.random as jr, device_models as dm, memsim as ms
    >>> model = ms.nn.convert(eqx.nn.Linear(8, 2, key=jr.key(0)))
    >>> xs = jr.normal(jr.key(1), (16, 8))
    >>> design = ms.Crossbar(dm.pcm_joshi2020(), reads=ms.Reads("off"))
    >>> found = ms.study.attribute(model, (xs, jax.vmap(model)(xs).argmax(1)), design, chips=2, key=jr.key(2))
    >>> ms.study.attribution_table(found)["effect"].tolist()
    ['write noise', 'drift']
    """
    import pandas as pd

    _check(result, time)
    now = result.isel(time=time)
    every, ideal, together = best_of(now), best_of(now, "{}_ideal"), best_of(now, "{}_together")
    marked = {"measured": bool(now.measured)} if "measured" in now.coords else {}
    rows = []
    for effect in now.effect.values:
        alone, left_out = now.sel(effect=effect, case="alone"), now.sel(effect=effect, case="left out")
        each = every.sel(effect=effect)
        cost = _percent(difference(ideal, each.sel(case="alone", drop=True)))
        gain = _percent(difference(each.sel(case="left out", drop=True), together))
        layers = alone.layer_error.mean("chip")
        worst = layers.layer.values[int(np.argmax(layers.values))]
        rows.append(
            {
                "effect": str(effect),
                "accuracy_alone": 100 * float(alone.accuracy.mean()),
                "cost_alone": cost.mean,
                "cost_low": cost.low,
                "cost_high": cost.high,
                "accuracy_left_out": 100 * float(left_out.accuracy.mean()),
                "gain_left_out": gain.mean,
                "gain_low": gain.low,
                "gain_high": gain.high,
                "output_error_alone": float(alone.output_error.mean()),
                "worst_layer": str(worst),
                "worst_snr": float(-20 * np.log10(max(float(layers.max()), 1e-12))),
                "interval_over": interval_over(together),
                **marked,
            }
        )
    return pd.DataFrame(rows)


def explain(result: "xr.Dataset") -> list[str]:
    """Why accuracy fell, in sentences: the whole, the culprits, what clips, what the wires take, a known trap, and what
    was not measured.

    The trap: accuracy that rises with the age of a chip, because drift relieves an ADC that saturates. Raises
    `ValueError` for a result of another kind.

    >>> import equinox as eqx, jax, jax.random as jr, device_models as dm, memsim as ms
    >>> model = ms.nn.convert(eqx.nn.Linear(8, 2, key=jr.key(0)))
    >>> xs = jr.normal(jr.key(1), (16, 8))
    >>> design = ms.Crossbar(dm.pcm_joshi2020(), reads=ms.Reads("off"))
    >>> found = ms.study.attribute(model, (xs, jax.vmap(model)(xs).argmax(1)), design, chips=2, key=jr.key(2))
    >>> ms.study.explain(found)[0][:35]
    'Accuracy is 100.0 % in digital and '
    """
    _check(result)
    return [
        *_whole(result),
        *_culprits(result),
        *_clipping(result),
        *_clipped_patterns(result),
        *_wires(result),
        *_relieved_saturation(result),
        *_span(result),
    ]


def _check(result: Any, time: int = 0) -> None:
    variables = getattr(result, "variables", ())
    if "accuracy_ideal" not in variables and "layer_error" in variables:
        raise ValueError(
            "`result` must be of accuracies to be told in words, or drawn. Got an attribution of another metric: look "
            "at its variables over `case` and `effect`, and at `layer_error`."
        )
    if "accuracy_ideal" not in variables or "layer_error" not in variables:
        raise ValueError(
            "`result` must be what `memsim.study.attribute` returned: of each effect alone, and left out. "
            f"Got {type(result).__name__} with {sorted(map(str, variables))}."
        )
    if time >= result.sizes["time"]:
        raise ValueError(f"`time` must be an index of the {result.sizes['time']} times. Got time={time}.")


def _whole(result: "xr.Dataset") -> list[str]:
    together = best_of(result.isel(time=0), "{}_together")
    over = interval_over(together)
    intervals = f" Intervals are over {over}." if over.startswith(("seed", "chip", "recording")) else ""
    return [
        f"Accuracy is {100 * float(result.digital_accuracy):.1f} % in digital and {_points(_percent(together))} % on "
        f"{result.sizes['chip']} chips, {result.time.values[0]:g} s after programming.{intervals}"
    ]


def _culprits(result: "xr.Dataset") -> list[str]:
    table = attribution_table(result).sort_values("gain_left_out", ascending=False)
    said = []
    for row in table.to_dict("records"):
        gain = Interval(row["gain_left_out"], row["gain_low"], row["gain_high"])
        if gain.mean > 100 * WORTH_SAYING and not gain.low <= 0:
            said.append(
                f"Without {row['effect']} accuracy is {_points(gain)} points higher; alone it costs "
                f"{row['cost_alone']:.1f} points, and disturbs {row['worst_layer']} most ({row['worst_snr']:.0f} dB)."
            )
    lost = 100 * float(result.accuracy_ideal.mean() - result.accuracy_together.isel(time=0).mean())
    if not said and lost > 100 * WORTH_SAYING:
        said.append(f"No effect by itself explains the {lost:.1f} points that are lost: they add up.")
    return said


def _clipping(result: "xr.Dataset") -> list[str]:
    said = []
    for name, what in (("dac_clipped", "inputs of the DAC"), ("adc_clipped", "currents of the ADC")):
        for layer in result.layer.values:
            share = float(result[f"{name}_together"].sel(layer=layer).isel(time=0).mean())
            if share > WORTH_SAYING:
                said.append(f"{layer} clips {100 * share:.1f} % of the {what}; see `memsim.calibrate`.")
    return said


def _clipped_patterns(result: "xr.Dataset") -> list[str]:
    if "patterns_clipped_together" not in result:
        return []
    said = []
    for layer in result.layer.values:
        share = float(result.patterns_clipped_together.sel(layer=layer).mean("chip").max("time"))
        if share > WORTH_SAYING:
            said.append(
                f"Drift compensation measures {layer} with patterns of which the ADC clips {100 * share:.1f} %, so its "
                "factor is wrong; widen the full scale, or leave the `amplitude` of the patterns to be found."
            )
    return said


def _wires(result: "xr.Dataset") -> list[str]:
    if "IR drop" not in result.effect.values:
        return []
    gain = result.layer_gain.sel(case="alone", effect="IR drop").isel(time=0).mean("chip")
    return [
        f"The wires take {100 * (1 - float(gain.sel(layer=layer))):.1f} % of the weights of {layer}."
        for layer in gain.layer.values
        if 1 - float(gain.sel(layer=layer)) > WORTH_SAYING
    ]


def _relieved_saturation(result: "xr.Dataset") -> list[str]:
    """Accuracy that rises with time while an ADC clips less, and would not if it did not clip."""
    if "saturation" not in result.effect.values or result.sizes["time"] < 2:
        return []
    clipped = result.adc_clipped_together.mean("chip").max("layer")
    first, best = 0, int(result.accuracy_together.mean("chip").argmax("time"))

    def change(values: "xr.DataArray") -> Interval:
        then, now = (values.isel(time=place, drop=True) for place in (first, best))
        return _percent(difference(now, then))

    rise = change(best_of(result, "{}_together"))
    unlimited = change(best_of(result).sel(case="left out", effect="saturation"))
    before, after = float(clipped.isel(time=first)), float(clipped.isel(time=best))
    rises = rise.mean > 100 * WORTH_SAYING and not rise.low <= 0 and rise.mean > unlimited.mean
    if not rises or before < WORTH_SAYING or after >= before:
        return []
    return [
        f"Accuracy rises by {_points(rise)} points from {result.time.values[first]:g} s to "
        f"{result.time.values[best]:g} s. That is not robustness: drift relieves a saturated ADC, which clips "
        f"{100 * before:.1f} % of its currents at first and {100 * after:.1f} % later. Without saturation accuracy "
        f"changes by {_points(unlimited)} points. Calibrate the full scale."
    ]


def _span(result: "xr.Dataset") -> list[str]:
    if "measured" not in result.coords or bool(result.measured.all()):
        return []
    assumed = [f"Assumed: {words}." for words in result.attrs.get("assumes", "").splitlines()]
    return [" ".join([beyond(result.attrs.get("span", ""), result.time.values[~result.measured.values]), *assumed])]


def _percent(values: "xr.DataArray") -> Interval:
    """In points of accuracy."""
    return Interval(*(100 * number for number in interval(values)))


def _points(found: Interval) -> str:
    if np.isnan(found.low):
        return f"{found.mean:.1f}"
    return f"{found.mean:.1f} [{found.low:.1f}, {found.high:.1f}]"
