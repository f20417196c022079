"""A package of somebody else that adds to memsim: built as a wheel and unpacked, as an installer leaves it."""

import sys
import zipfile
from pathlib import Path

import pytest

CELLS = '''
import jax.numpy as jnp
import jax.random as jr
import device_models as dm


def oxide_lab(*, write_noise_scale=1.0):
    """Oxide cells of the laboratory, 1 to 30 uS."""
    noise = dm.curves.Constant(4e-7)
    sources = ("write_noise = 4e-07 S (measured by us, lot 7)",)
    return dm.Gaussian(1e-6, 30e-6, write_noise=noise, write_noise_scale=write_noise_scale, sources=sources)
'''
CHIP = '''
import equinox as eqx
import memsim as ms


class Renamed(ms.chips.AbstractTarget):
    """Loihi under another name, which stands for a chip of one's own."""

    inner: ms.chips.AbstractTarget

    name = property(lambda self: "renamed")
    checked = property(lambda self: "unchecked")
    conventions = property(lambda self: self.inner.conventions)
    most_input = property(lambda self: self.inner.most_input)

    def problems(self, layers):
        return self.inner.problems(layers)

    def cores(self, layers):
        return self.inner.cores(layers)

    def place(self, layers, *, calibration, key):
        return self.inner.place(layers, calibration=calibration, key=key)


def renamed():
    """A chip of the laboratory."""
    return Renamed(ms.chips.loihi1())
'''
STUDY = '''"""How far cells of a name lie from their targets. Writes results/spread."""

from dataclasses import dataclass
from pathlib import Path

import jax.numpy as jnp
import jax.random as jr
import device_models as dm
import memsim as ms

QUICK = {"cells": 50}


@ms.study.quick(QUICK)
@dataclass(frozen=True)
class Config:
    """Options of the study."""

    device: str = "oxide_lab"
    cells: int = 1000
    out: Path = Path("results/spread")
    quick: bool = False

    def __post_init__(self):
        ms.study.check_options(self)
        dm.device(self.device)


def spread(device, *, key, cells):
    cell = dm.device(device).make()
    target = jnp.full(cells, 10e-6)
    g = cell.conductance(cell.program(target, key=key), jnp.zeros(()))
    return {"spread": float(jnp.std(g)), "cells": cells}


def run(config):
    import functools

    measure = functools.partial(spread, cells=config.cells)
    result = ms.study.sweep(measure, {"device": [config.device]}, folder=config.out, key=jr.key(0))
    ms.study.save_result(result, config.out / "spread.nc")
'''
FIGURE = '''"""Spreads as a number, in the place of a figure."""

from pathlib import Path

import memsim as ms


def draw(result: Path = Path("results/spread/spread.nc")) -> None:
    """Prints what a figure would show."""
    print(f"spread {float(ms.study.open_result(result).spread.squeeze()):.2e}")
'''
ENTRIES = """
[memsim.devices]
oxide_lab = lab_oxide.cells:oxide_lab
{devices}
[memsim.targets]
renamed = lab_oxide.chip:renamed

[memsim.experiments]
spread = lab_oxide.spread
{experiments}
[memsim.figures]
spread = lab_oxide.spread_figure
"""


def published(
    folder: Path,
    *,
    name: str = "lab-oxide",
    version: str = "1.2",
    devices: str = "",
    experiments: str = "",
    **more: str,
) -> Path:
    """A wheel of the package; `more` modules by name, and more entries of two groups."""
    module = name.replace("-", "_")
    files = {"__init__": '"""Cells of a laboratory."""\n', "cells": CELLS, "chip": CHIP, "spread": STUDY}
    files |= {"spread_figure": FIGURE} | more
    info = f"{module}-{version}.dist-info"
    text = {f"{module}/{each}.py": code for each, code in files.items()}
    text[f"{info}/METADATA"] = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    text[f"{info}/WHEEL"] = "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    entries = ENTRIES.format(devices=devices, experiments=experiments).replace("lab_oxide.", f"{module}.")
    text[f"{info}/entry_points.txt"] = entries
    text[f"{info}/RECORD"] = "".join(f"{each},,\n" for each in text)
    wheel = folder / f"{module}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as file:
        for each, content in text.items():
            file.writestr(each, content)
    return wheel


def installed(wheel: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that the wheel is unpacked in, as the last place that imports look in."""
    place = wheel.parent / f"site-{wheel.stem}"
    with zipfile.ZipFile(wheel) as file:
        file.extractall(place)
    for module in [each for each in sys.modules if each.partition(".")[0] == wheel.name.partition("-")[0]]:
        del sys.modules[module]
    monkeypatch.syspath_prepend(str(place))
    return place
