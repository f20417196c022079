"""One tile of a chip as a SPICE netlist."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Array, Float

from device_models._files import written_whole
from device_models._version import __version__
from device_models.iv import AbstractIV, Cubic, MiloPolynomial, Ohmic, Sinh

from .._array import (
    AbstractWires,
    BitSliced,
    Chip,
    Crossbar,
    DifferentialPair,
    IdealWires,
    OffsetColumn,
    ResistiveWires,
)
from .._checks import TIME, Inputs, as_numbers, as_time, checked, described, did_you_mean, whole, write
from ._planes import conductances_of, planes_of

Grid = Float[np.ndarray, "rows lines"]


class Wiring(NamedTuple):
    """Resistances of the segments, drivers and sinks of an array, in ohms, and at which sides these are."""

    word: float = 0.0
    bit: float = 0.0
    source: float = 0.0
    sink: float = 0.0
    drive: str = "left"
    sense: str = "bottom"


class Tile(NamedTuple):
    """One array: conductances in siemens, voltages of its word lines and of its sinks, its wires and its cells."""

    name: str
    g: Grid
    v: Float[np.ndarray, " rows"]
    ground: Float[np.ndarray, " lines"]
    wiring: Wiring
    iv: AbstractIV


@checked(t=TIME, pulse=whole(0), wires=write("Such as `ResistiveWires(2.0, 2.0)`; None is those of the design."))
def netlist(
    chip: Chip,
    path: str | Path,
    t: float = 0.0,
    *,
    inputs: Inputs,
    array: str | None = None,
    tile: tuple[int, int] = (0, 0),
    pulse: int = 0,
    wires: AbstractWires | None = None,
) -> None:
    """Writes one array of one tile of a chip as a netlist for ngspice, driven by the voltages of an input.

    `ngspice -b FILE` prints the current into the sink of every bit line, i(vs0) and so on, in amperes, which are those
    that the chip adds up. Word lines are driven at `v_read` times their share of a full input (`Reads`); of a DAC that
    codes inputs in the duration of its pulses, at the voltage that moves the same charge. Wires, drivers and sinks are
    those of `ResistiveWires`, the sinks with series resistance and offset of the sense amplifier. Ohmic cells are
    resistors, those with another I-V behavioural sources. Read noise is not in it.

    **Arguments:**

    - `chip`: One chip.
    - `path`: The file, which is replaced whole.
    - `t`: Seconds since the end of programming.
    - `inputs`: One input of the whole matrix, as a read takes it, shape (inputs,).
    - `array`: Which cells: "positive" or "negative" of a pair, "pair" of an interleaved one, "single" of an
      `OffsetColumn`, each with `BitSliced` as "positive_0" ...; the first by default.
    - `tile`: Row and column of the tile.
    - `pulse`: Which of the pulses of a `BitSerialDAC`.
    - `wires`: In the place of those of the design, as for cells with a nonlinear I-V, which designs have on ideal ones.

    **Raises:** `ValueError` for wires that are no circuit (`AlphaBetaWires`), an I-V of one's own, pulses of other than
    full duration on cells that are not ohmic, and arrays or tiles that the chip does not have.

    >>> import jax.numpy as jnp, jax.random as jr, device_models as dm, memsim as ms
    >>> from pathlib import Path
    >>> design = ms.Crossbar(dm.Ideal(), wires=ms.ResistiveWires(1.0, 1.0), compensation=None)
    >>> chip = design.program([[0.5, -1.0]], key=jr.key(0))
    >>> ms.files.netlist(chip, "array.cir", inputs=jnp.array([1.0, 0.5]))
    >>> ".end" in Path("array.cir").read_text()  # `ngspice -b array.cir` runs it
    True
    """
    g = conductances_of(chip, as_time(t)).astype(np.float64)
    design = chip.crossbar
    assert isinstance(design, Crossbar)
    name, lines = _chosen(design, g, array)
    size = design.tile[0], _lines(design)
    cut = slice(tile[0] * size[0], (tile[0] + 1) * size[0]), slice(tile[1] * size[1], (tile[1] + 1) * size[1])
    cells = lines[cut]
    if min(tile) < 0 or 0 in cells.shape:
        counts = -(-lines.shape[0] // size[0]), -(-lines.shape[1] // size[1])
        raise ValueError(f"`tile` must be one of {counts[0]} x {counts[1]}, counted from 0. Got {tile}.")
    wiring, ground = _wiring(design.wires if wires is None else wires), np.zeros(cells.shape[1])
    if design.reads.sense is not None:
        wiring = wiring._replace(sink=wiring.sink + float(design.reads.sense.series_resistance))
        ground = _offsets(chip, name, design, tile[0], cut[1])
    x = as_numbers("inputs", inputs)
    if x.shape != (g.shape[1],):
        raise ValueError(f"`inputs` must be one input of the whole matrix, of shape ({g.shape[1]},). Got {x.shape}.")
    v = _voltages(chip, x, pulse)[cut[0]]
    text = _text(Tile(f"{name}, tile {tile}, t = {float(t):g} s", cells, v, ground, wiring, design.device.iv))
    with written_whole(path) as partial:
        partial.write_text(text, encoding="utf-8")


def _interleaved(design: Crossbar) -> bool:
    mapping = design.mapping.mapping if isinstance(design.mapping, BitSliced) else design.mapping
    return isinstance(mapping, DifferentialPair) and mapping.arrangement == "interleaved"


def _lines(design: Crossbar) -> int:
    """Bit lines of a tile."""
    mapping = design.mapping.mapping if isinstance(design.mapping, BitSliced) else design.mapping
    reference = isinstance(mapping, OffsetColumn) and mapping.offset == "column"
    return design.tile[1] * (2 if _interleaved(design) else 1) + reference


def _chosen(design: Crossbar, g: np.ndarray, array: str | None) -> tuple[str, Grid]:
    """The name of an array and its conductances; interleaved pairs stand side by side in one."""
    found = {plane.name: g[place] for place, plane in enumerate(planes_of(design.mapping, len(g)))}
    if _interleaved(design):
        names = [name.replace("positive", "pair") for name in found if name.startswith("positive")]
        found = {name: _paired(g[2 * place : 2 * place + 2]) for place, name in enumerate(names)}
    name = next(iter(found)) if array is None else array
    if name not in found:
        raise ValueError(did_you_mean("`array`", name, found, what="an array of the chip"))
    return name, found[name]


def _paired(planes: np.ndarray) -> np.ndarray:
    return planes.transpose(1, 2, 0).reshape(planes.shape[1], -1)


def _offsets(chip: Chip, name: str, design: Crossbar, row_tile: int, cut: slice) -> np.ndarray:
    if chip.offsets is None:
        return np.zeros(len(range(*cut.indices(10**9))))
    offsets = np.asarray(chip.offsets, np.float64)[:, row_tile : row_tile + 1]
    return _chosen(design, offsets, name)[1][0, cut]


def _wiring(wires: AbstractWires) -> Wiring:
    if isinstance(wires, IdealWires):
        return Wiring()
    if not isinstance(wires, ResistiveWires):
        raise ValueError(
            f"`wires` must be resistors. Got {described(wires)}, which is no circuit. Use `ResistiveWires` or "
            "`IdealWires`."
        )
    ohms = (float(ohm) for ohm in (wires.word_line, wires.bit_line, wires.source, wires.sink))
    return Wiring(*ohms, drive=wires.drive, sense=wires.sense)


def _voltages(chip: Chip, x: Array, pulse: int) -> np.ndarray:
    """What the word lines carry for an input, in volts."""
    design, dac = chip.crossbar, chip.dac
    v_read = float(design.reads.v_read)
    pulses: list[Any] = [x] if dac is None else dac.pulses(dac.codes(x))
    if pulse >= len(pulses):
        raise ValueError(f"`pulse` must be one of the {len(pulses)} pulses of an input, from 0. Got {pulse}.")
    share = np.asarray(pulses[pulse], np.float64) / (1 if dac is None else dac.largest_pulse)
    full = np.isin(share, (-1.0, 0.0, 1.0)).all()
    if dac is not None and dac.fixed_voltage and not isinstance(design.device.iv, Ohmic) and not full:
        raise ValueError(
            "Word lines of nonlinear cells must carry full pulses: a mean voltage has another current. Got "
            f"{type(dac).__name__} with pulses from {share.min():g} to {share.max():g}. Choose inputs at full range, "
            "or a `BitSerialDAC` of one bit a pulse."
        )
    return v_read * share


def _text(tile: Tile) -> str:
    lines = [f"* memsim {__version__}: {tile.name}, {tile.g.shape[0]} word lines, {tile.g.shape[1]} bit lines"]
    nodes = _Nodes()
    wires = []
    for place, (a, b, ohm) in enumerate(_segments(tile.g.shape, tile.wiring)):
        if ohm == 0:
            nodes.join(a, b)
        else:
            wires.append((f"Rw{place}", a, b, ohm))
    lines += [f"{name} {nodes[a]} {nodes[b]} {ohm!r}" for name, a, b, ohm in wires]
    current = _current(tile.iv, tile.g)
    for i, j in np.ndindex(tile.g.shape):
        a, b = nodes[f"w{i}_{j}"], nodes[f"b{i}_{j}"]
        if isinstance(tile.iv, Ohmic):
            lines += [f"Rc{i}_{j} {a} {b} {1 / float(tile.g[i, j])!r}"] if tile.g[i, j] > 0 else []
        else:
            lines.append(f"Bc{i}_{j} {a} {b} I={current(i, j, f'(V({a})-V({b}))')}")
    lines += [f"Vd{i} d{i} 0 DC {float(v)!r}" for i, v in enumerate(tile.v)]
    lines += [f"Vs{j} s{j} 0 DC {float(v)!r}" for j, v in enumerate(tile.ground)]
    # As exact as double precision goes: read currents are microamperes, of which sums of codes take 24 bits.
    lines += [".options numdgt=15 reltol=1e-12 abstol=1e-18 vntol=1e-15", ".control", "set numdgt=15", "op"]
    lines += [f"print i(vs{j})" for j in range(tile.g.shape[1])] + [".endc", ".end", ""]
    return "\n".join(lines)


def _segments(shape: tuple[int, ...], wiring: Wiring) -> list[tuple[str, str, float]]:
    """The wires: drivers d, word-line nodes w, bit-line nodes b, sinks s."""
    rows, columns = shape
    word, bit, source, sink, drive, sense = wiring
    found = []
    for i in range(rows):
        found += [(f"w{i}_{j}", f"w{i}_{j + 1}", word) for j in range(columns - 1)]
        found += [(f"d{i}", f"w{i}_0", word + source)] if drive in ("left", "both") else []
        found += [(f"d{i}", f"w{i}_{columns - 1}", word + source)] if drive in ("right", "both") else []
    last = rows - 1 if sense == "bottom" else 0
    for j in range(columns):
        found += [(f"b{i}_{j}", f"b{i + 1}_{j}", bit) for i in range(rows - 1)]
        found += [(f"s{j}", f"b{last}_{j}", bit + sink)]
    return found


class _Nodes:
    """Names of nodes, of which those that nothing separates are one."""

    def __init__(self):
        self._of: dict[str, str] = {}

    def __getitem__(self, node: str) -> str:
        while node in self._of:
            node = self._of[node]
        return node

    def join(self, a: str, b: str) -> None:
        a, b = self[a], self[b]
        if a != b:
            kept, other = (b, a) if b[0] in "ds" else (a, b)
            self._of[other] = kept


def _current(iv: AbstractIV, g: Grid) -> Any:
    """The current of a cell as ngspice writes it, a function of its place and of its voltage."""
    if isinstance(iv, Ohmic):
        return None
    if isinstance(iv, Sinh):
        kappa = float(iv.kappa)
        return lambda i, j, u: f"{float(g[i, j])!r}*sinh({kappa!r}*{u})/{kappa!r}"
    if isinstance(iv, Cubic):
        a = float(iv.a)  # powers as products: ngspice takes the magnitude of what is raised to one
        return lambda i, j, u: f"{float(g[i, j])!r}*({u}+{a!r}*{u}*{u}*{u})"
    if isinstance(iv, MiloPolynomial):
        import jax.numpy as jnp

        first, second, third = (np.asarray(term, np.float64) for term in iv.terms(jnp.asarray(g)))
        return lambda i, j, u: (
            f"{float(first[i, j])!r}*{u}+{float(second[i, j])!r}*{u}*{u}+{float(third[i, j])!r}*{u}*{u}*{u}"
        )
    raise ValueError(
        f"A netlist must be of cells whose I-V it can write. Got {described(iv)}; Sinh and Cubic are some."
    )
