"""What the study of images says in words: accuracy, the claims of others with intervals, and yield."""

from itertools import combinations

import numpy as np
import xarray as xr

import memsim as ms
from _frame import places, print_table
from _tables import gain

WIDTH = 150


def report(result: xr.Dataset) -> None:
    """Prints accuracy on chips, what mapping costs, both orderings, re-estimated norms, yield and attribution."""
    _accuracies(result)
    _mapping(result)
    _gains(result)
    if result.noisy_accuracy.notnull().any():
        _orderings(result)
    if result.norms_accuracy.notnull().any():
        norms(result)
    costs = result.cost.max(["seed", "network", "training"])
    costs = costs[costs.notnull().values]
    for effect, cost in sorted(zip(costs.effect.values, costs.values, strict=True), key=lambda pair: -pair[1]):
        print(f"LeNet-5 on PCM after a day, {effect} alone: {100 * cost:.2f} points")


def rights(result: xr.Dataset) -> tuple[xr.DataArray, xr.DataArray]:
    """What is right in digital and on chips."""
    return ms.study.right(result, "digital_right"), ms.study.right(result)


def lost(result: xr.Dataset) -> xr.DataArray:
    """Accuracy lost to noise of each kind, chip by chip."""
    return result.digital_accuracy - result.noisy_accuracy


def _accuracies(result: xr.Dataset) -> None:
    columns = [f"{cell}, {t:g} s" for cell in result.cells.values for t in result.time.values]
    rows = []
    for network in result.network.values:
        for training in result.training.values:
            one = result.sel(network=network, training=training)
            words = [f"{100 * v:.1f}" for v in one.accuracy.mean(["seed", "chip"]).values.ravel()]
            rows.append([str(network), str(training), f"{100 * float(one.digital_accuracy.mean()):.1f}", *words])
    print_table(["network", "training", "digital", *columns], rows, title="Test accuracy in %, means", width=WIDTH)


def _mapping(result: xr.Dataset) -> None:
    """What the first moment costs, and how many chips are within a point of digital."""
    digital, chips = rights(result)
    losses = result.digital_accuracy - result.accuracy
    rows = []
    for network in result.network.values:
        for training in result.training.values:
            for cell in result.cells.values:
                at = {"network": network, "training": training}
                first, last = (chips.sel(at | {"cells": cell}, drop=True).isel(time=t, drop=True) for t in (0, -1))
                found = [ms.study.interval(ms.study.difference(digital.sel(at, drop=True), x)) for x in (first, last)]
                good = ms.study.yield_curve(losses.sel(at | {"cells": cell}).isel(time=-1), 0.01, larger=False)
                share = ms.study.Interval(*(float(good[name].squeeze()) for name in ("fraction", "low", "high")))
                rows.append([*map(str, (network, training, cell)), *(x.in_percent("+.2f") for x in found)])
                rows[-1].append(share.in_percent(".0f"))
    names = ["network", "training", "cells", "lost at first (points)", "lost at last (points)", "chips within 1 point"]
    title = f"Accuracy lost on chips, intervals over {ms.study.interval_over(chips)}, and yield at last in %"
    print_table(names, rows, title=title, width=WIDTH)


def _gains(result: xr.Dataset) -> None:
    """What one training gains over another at last, on the same chips."""
    _, chips = rights(result)
    for place in places(result, "network", "cells"):
        at = chips.isel(time=-1, drop=True).sel(place, drop=True)
        for first, second in combinations(result.training.values[::-1], 2):
            found = gain(*(at.sel(training=name, drop=True) for name in (first, second)))
            print(f"{place['network']}, {place['cells']}, at last: training with {first} over {second} {found}")


def _orderings(result: xr.Dataset) -> None:
    """Paired differences between kinds of noise, and between networks, at the largest noise."""
    losses = lost(result).isel(noise=-1)
    std, rows = float(losses.noise), []
    for training in result.training.values:
        for network in result.network.values:
            one = losses.sel(network=network, training=training, drop=True)
            rows += _rows(one, "kind", "weight", f"{network}, {training}")
        if "LSTM" in result.network.values and result.sizes["network"] > 1:
            for kind in result.kind.values:
                one = losses.sel(kind=kind, training=training, drop=True)
                rows += _rows(one, "network", "LSTM", f"{kind} noise, {training}")
    title = f"Difference of losses in points at noise of {std:g} of the range, intervals of a group hold together"
    print_table(["of", "first", "second", "difference", "p"], rows, title=title, width=WIDTH)


def _rows(losses: xr.DataArray, along: str, baseline: str, of: str) -> list[list[str]]:
    if losses.sizes["chip"] < 2:
        return []
    table = ms.study.compare(losses, along, baseline)
    return [
        [of, str(row["first"]), str(row["second"]), _points(row), f"{row['p_adjusted']:.2g}"]
        for _, row in table.iterrows()
    ]


def _points(row) -> str:
    return ms.study.Interval(row["mean"], row["low"], row["high"]).in_percent("+.2f")


def norms(result: xr.Dataset) -> None:
    found = result.norms_accuracy.dropna("network", how="all").squeeze("network", drop=True)
    rows = []
    for training in found.training.values:
        for t in found.time.values:
            both = found.sel(training=training, time=t, drop=True)
            plain, new = (both.sel(norms=name, drop=True) for name in both.norms.values)
            gain = ms.study.interval(new - plain)
            shares = [f"{100 * float(np.mean(x)):.1f}" for x in (plain, new)]
            rows.append([str(training), f"{t:g}", *shares, gain.in_percent("+.2f")])
    names = ["training", "time (s)", "as trained", "re-estimated", "gain (points)"]
    print_table(names, rows, title="ResNet-8 on PCM without drift compensation, test accuracy in %", width=WIDTH)
