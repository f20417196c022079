"""What a model on chips costs, as a labelled data set."""

from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Array, Key

from .._checks import TIME, checked
from ..nn._word_lines import SAMPLES
from ._joules import PERIPHERY, PLAIN, Arranged, Joules, arrange, measure, read_key
from ._layers import COMPONENTS, STAGES, square_metres
from ._periphery import Periphery
from ._sources import sources, told

if TYPE_CHECKING:
    import xarray as xr


@checked(xs=SAMPLES, t=TIME, periphery=PERIPHERY)
def of(
    chip: Any, xs: Any, *, t: Any = 0.0, periphery: Periphery = PLAIN, key: Key[Array, ""] | None = None
) -> "xr.Dataset":
    """What a model on chips takes for each of its inputs: energy, time and area, by layer and component.

    One forward pass, in which every read of an array is measured: the array's energy is exact for the codes that drive
    it and the cells of this chip at this moment, with what resistive wires dissipate; all else follows from what was
    counted, at the numbers of `periphery`. Layers that are still digital are not counted, and are named in `digital`;
    inputs of layers without a DAC, named in `pulsed`, are taken for spikes: x is |x| pulses, in the time of one.

    A data set with `joules` (sample, layer, component), `seconds` (sample, layer, stage) and `square_metres` (layer,
    component); `reads` of arrays (sample, layer), and `pulses_per_line`, those of a word line; `multiplications`
    (layer), those of one read; `programming`, joules that writing the layer took; `latency` from an input to its output
    and `interval` between two of them where layers work as a pipeline, in seconds; the `source` of each component, and
    what was `assumed` of it.

    **Arguments:**

    - `chip`: A model whose layers are on chips, from `ms.program`.
    - `xs`: A batch of samples.
    - `t`: Age of the chips, in seconds.
    - `periphery`: What surrounds the arrays.
    - `key`: For read noise, as of `ms.at` and `ms.nn.call`.

    **Raises:** `ValueError` for a model without programmed chips, and for circuits whose currents are not known.

    >>> import device_models as dm, jax, jax.numpy as jnp, memsim as ms
    >>> crossbar = ms.Crossbar(dm.Ideal(), adc=ms.ADC(8))
    >>> chip = ms.program(ms.nn.Linear(3, 2, key=jax.random.key(0)), crossbar, key=jax.random.key(1))
    >>> ms.energy.of(chip, jnp.ones((5, 3))).joules.dims
    ('sample', 'layer', 'component')
    """
    arranged = arrange(chip, t, periphery, key)
    return as_dataset(arranged, periphery, measure(arranged, periphery, xs, read_key(key)))


def as_dataset(arranged: Arranged, around: Periphery, found: Joules) -> "xr.Dataset":
    """The labelled numbers."""
    import xarray as xr

    layers = [*arranged.supplies, *arranged.neurons]
    none = [0.0] * len(arranged.neurons)
    geometries = list(arranged.geometries.values())
    areas = [square_metres(of, around) for of in geometries] + [{}] * len(none)
    lines = float(sum(of.rows for of in geometries))
    spent = np.asarray(found.seconds, float).sum(axis=2)
    per_layer = {
        "square_metres": (
            ("layer", "component"),
            [[float(each.get(name, 0.0)) for name in COMPONENTS] for each in areas],
        ),
        "multiplications": ("layer", [float(of.rows * of.outputs) for of in geometries] + none),
        "programming": ("layer", [float(each) for each in arranged.writes.values()] + none),
    }
    result = xr.Dataset(
        {
            "joules": (("sample", "layer", "component"), np.asarray(found.joules, float)),
            "seconds": (("sample", "layer", "stage"), np.asarray(found.seconds, float)),
            "reads": (("sample", "layer"), np.asarray(found.reads, float)),
            **per_layer,
            "pulses_per_line": ("sample", np.asarray(found.pulses, float).sum(axis=1) / lines),
            "latency": ("sample", spent.sum(axis=1)),
            "interval": ("sample", spent.max(axis=1)),
            "source": ("component", [sources(name, around) for name in COMPONENTS]),
            "assumed": ("component", [told(name, around) for name in COMPONENTS]),
        },
        {"layer": layers, "component": list(COMPONENTS), "stage": list(STAGES)},
        {"node": around.node, "v_dd": float(around.v_dd)}
        | {"digital": ", ".join(arranged.digital), "pulsed": ", ".join(arranged.pulsed)},
    )
    for name, unit in (("joules", "J"), ("programming", "J"), ("seconds", "s"), ("latency", "s"), ("interval", "s")):
        result[name].attrs["units"] = unit
    result["square_metres"].attrs["units"] = "m^2"
    return result
