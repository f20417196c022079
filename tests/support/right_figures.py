"""Right arguments for the public names of `memsim.plotting`, and of studies that are there to be drawn."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

import figure_data
import memsim as ms
from right_parts import CROSSBAR, KEY, attribution, dataset, digits_network, network, result

RESULTS = {"Journal"}


def instances() -> list[Any]:
    """One of each class that has fields."""
    return []


def figure() -> Figure:
    """An empty one."""
    return Figure()


def calls() -> dict[str, dict[str, Any]]:
    """The functions, with their arguments."""
    axes, steps = figure().subplots(), np.arange(3.0)
    line = {"axes": axes, "place": 0, "label": None}
    standard = {f"plotting.{name}": {"result": make()} for name, (make, _) in figure_data.STANDARD.items()}
    aged = {"plotting.accuracy_over_time": {"result": result()}, "plotting.attribution": {"result": attribution()}}
    return (
        standard
        | aged
        | {
            "caption": {"figure": figure()},
            "plotting.describe": {"figure": figure(), "words": "Bars: 95 % intervals."},
            "draw_accuracy": line | {"accuracy": result().accuracy},
            "draw_interval": line | {"x": steps, "found": np.ones((3, 3))},
            "draw_line": {"axes": axes, "x": steps, "y": steps},
            "draw_spread": line | {"x": steps, "values": result().accuracy, "along": "time"},
            "label_time": {"axes": axes, "times": np.array([1.0, 10.0])},
            "letter_panels": {"panels": [axes]},
            "look": {"place": 0},
            "portrait": {"part": ms.nn.LI(1), "key": KEY},
            "measured_along": {"values": result().accuracy, "along": "time"},
            "readable": {"name": "pcm_joshi2020"},
            "shown_time": {"times": np.array([1.0, 10.0])},
            "width": {"journal": "nature"},
            "study.confusion": {
                "model": digits_network(),
                "data": dataset(),
                "crossbar": CROSSBAR,
                "key": KEY,
                "chips": 1,
            },
            "study.distributions": {"models": {"one": network()}, "crossbar": CROSSBAR, "key": KEY, "chips": 1},
            "reliability": {"probabilities": np.full((4, 2), 0.5), "labels": np.array([0, 1, 0, 1])},
        }
    )
