"""Crossbars solved by others: a dense float64 system, and ngspice."""

import re
import shutil
import subprocess
from typing import NamedTuple

import numpy as np

HAS_NGSPICE = shutil.which("ngspice") is not None


class Solved(NamedTuple):
    """Node voltages (rows, columns) and bit-line currents (columns,)."""

    word_line: np.ndarray
    bit_line: np.ndarray
    currents: np.ndarray


def resistors(shape, word, bit, source=0.0, sink=0.0, drive="left", sense="bottom"):
    """The wires as (node, node, ohm): ("w", i, j), ("b", i, j), drivers ("v", i), sinks ("o", j)."""
    rows, columns = shape
    for i in range(rows):
        for j in range(columns - 1):
            yield ("w", i, j), ("w", i, j + 1), word
        if drive in ("left", "both"):
            yield ("v", i), ("w", i, 0), word + source
        if drive in ("right", "both"):
            yield ("v", i), ("w", i, columns - 1), word + source
    for j in range(columns):
        for i in range(rows - 1):
            yield ("b", i, j), ("b", i + 1, j), bit
        yield ("b", rows - 1 if sense == "bottom" else 0, j), ("o", j), bit + sink


def dense_crossbar(g, v, word, bit, **settings):
    """Ohmic cells `g` on wires of positive resistance, word lines driven at `v`: Kirchhoff's equations, densely."""
    rows, columns = g.shape
    unknown = {node: place for place, node in enumerate((k, i, j) for k in "wb" for i, j in np.ndindex(g.shape))}
    fixed = {("v", i): v[i] for i in range(rows)} | {("o", j): 0.0 for j in range(columns)}
    wires = [(a, b, 1 / ohm) for a, b, ohm in resistors(g.shape, word, bit, **settings)]
    cells = [(("w", i, j), ("b", i, j), g[i, j]) for i, j in np.ndindex(g.shape)]
    matrix, right = np.zeros((len(unknown), len(unknown))), np.zeros(len(unknown))
    for a, b, siemens in wires + cells:
        for here, there in ((a, b), (b, a)):
            if here in unknown:
                matrix[unknown[here], unknown[here]] += siemens
                if there in unknown:
                    matrix[unknown[here], unknown[there]] -= siemens
                else:
                    right[unknown[here]] += siemens * fixed[there]
    word_line, bit_line = np.linalg.solve(matrix, right).reshape(2, rows, columns)
    last = bit_line[-1 if settings.get("sense", "bottom") == "bottom" else 0]
    return Solved(word_line, bit_line, last / (bit + settings.get("sink", 0.0)))


def ngspice(g, v, word, bit, folder, cell="{g}*{u}", **settings):
    """Bit-line currents of a netlist of the crossbar; `cell` is the current of a cell of `g` siemens at `u` volts."""
    return run_netlist(_netlist(g, v, word, bit, folder, cell, "vm", g.shape[1], **settings), "vm", g.shape[1])


def driver_currents(g, v, word, bit, folder, cell="{g}*{u}", **settings):
    """As `ngspice`, the currents out of the drivers of the word lines."""
    return -run_netlist(_netlist(g, v, word, bit, folder, cell, "v", g.shape[0], **settings), "v", g.shape[0])


def _netlist(g, v, word, bit, folder, cell, printed, count, **settings):
    lines = ["* crossbar"]
    for place, (a, b, ohm) in enumerate(resistors(g.shape, word, bit, **settings)):
        lines.append(f"R{place} {_node(a)} {_node(b)} {float(ohm)!r}")
    for i, j in np.ndindex(g.shape):
        u = f"(V({_node(('w', i, j))})-V({_node(('b', i, j))}))"
        current = cell.format(g=repr(float(g[i, j])), u=u)
        lines.append(f"B{i}_{j} {_node(('w', i, j))} {_node(('b', i, j))} I={current}")
    lines += [f"V{i} v{i} 0 DC {float(v[i])!r}" for i in range(g.shape[0])]
    lines += [f"VM{j} o{j} 0 DC 0" for j in range(g.shape[1])]
    lines += [".options numdgt=15 reltol=1e-12 abstol=1e-18 vntol=1e-15", ".control", "set numdgt=15", "op"]
    lines += [f"print i({printed}{j})" for j in range(count)] + [".endc", ".end", ""]
    netlist = folder / "crossbar.cir"
    netlist.write_text("\n".join(lines))
    return netlist


def run_netlist(netlist, source, count):
    """The currents through the `count` voltage sources of a netlist file whose names begin with `source`."""
    done = subprocess.run(["ngspice", "-b", str(netlist)], capture_output=True, text=True, check=False, timeout=120)
    found = re.findall(rf"i\({source}(\d+)\) = (\S+)", done.stdout)
    assert len(found) == count, done.stdout + done.stderr
    return np.array([float(value) for _, value in sorted(found, key=lambda pair: int(pair[0]))])


def _node(node):
    return "".join([node[0], "_".join(str(part) for part in node[1:])])
