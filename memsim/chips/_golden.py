"""Files of what other people's simulators computed, and how far our rules are from them."""

import importlib
import json
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from device_models._files import as_path

from .._checks import checked, did_you_mean

MOST_BYTES = 1 << 28


class Family(NamedTuple):
    """Golden files of one kind.

    **Arguments:**

    - `rule`: Ours that they judge, in words.
    - `function`: From arrays and settings to what the rule computes, as `module:name` below this room.
    - `tolerance`: By how much floats may differ, relative to the largest of their array; whole numbers may not.

    >>> import memsim as ms
    >>> family = ms.chips.FAMILIES["dynapse2_sim"]
    >>> family.rule, family.tolerance
    ('DYNAP-SE2 as DynapSim', 0.0004)
    """

    rule: str
    function: str
    tolerance: float = 0.0


FAMILIES = {  # by how the names of files begin
    "brainscales2_mac": Family("BrainScaleS-2, products", "_brainscales2._golden:mac"),
    "dynapse2_biasgen": Family("DYNAP-SE2, bias generator", "_dynapse2._golden:biasgen"),
    "dynapse2_sim": Family("DYNAP-SE2 as DynapSim", "_dynapse2._golden:sim", tolerance=4e-4),
    "loihi2_lavadl": Family("Loihi 2 as lava-dl's SLAYER", "_loihi._golden:lava_dl"),
    "loihi2_sdn": Family("sigma-delta layers of Loihi 2 as lava-nc", "_loihi._golden:sigma_delta_network"),
    "loihi_brian2": Family("Loihi 1 as brian2-loihi", "_loihi._golden:brian2"),
    "loihi_lava": Family("Loihi 1 as lava-nc", "_loihi._golden:lava"),
    "speck_sinabs": Family("the time-stepped twin of Speck as sinabs", "_speck._golden:convolution"),
    "xylo_quantize": Family("both quantisers of rockpool", "_xylo._golden:quantised"),
    "xylo_v1": Family("Xylo's core v1 as xylosim", "_xylo._golden:network"),
    "xylo_v2": Family("Xylo's core v2 as xylosim", "_xylo._golden:network"),
    "loihi_nengo": Family("Loihi 1 as nengo-loihi's emulator", "_loihi._golden:nengo"),
    "spinnaker_lif": Family("SpiNNaker 1 as sPyNNaker's C code", "_spinnaker._golden:lif"),
    "truenorth_ranc": Family("TrueNorth as RANC's simulator", "_truenorth._golden:cores"),
    "truenorth_ranc_rtl": Family("TrueNorth as RANC's Verilog, of 9 bits that wrap", "_truenorth._golden:rtl"),
}


class Judgement(NamedTuple):
    """How far a rule of ours is from a golden file.

    **Arguments:**

    - `file`: Its name.
    - `rule`: The rule that it judges.
    - `largest`: The largest difference, by array; of floats relative to the largest of the array.
    - `equal`: Whether all is equal, floats within their tolerance.

    >>> import memsim as ms
    >>> found = ms.chips.Judgement("loihi_lava_typ_0.npz", "Loihi 1 as lava-nc", {"membranes": 0.0}, equal=True)
    >>> found.rule, found.largest
    ('Loihi 1 as lava-nc', {'membranes': 0.0})
    """

    file: str
    rule: str
    largest: dict[str, float]
    equal: bool


@checked()
def check(file: Path | str) -> Judgement:
    """Computes what a golden file holds by our rule, and compares.

    The file is an npz as `tests/data/chips/README.md` says: arrays, and `meta`, a JSON text of settings. Its name says
    the family, `loihi_lava_typ_0.npz`. Raises `ValueError` for a file of no known family, or one that is damaged.

    - `file`: The file.

    >>> import memsim as ms
    >>> try:
    ...     ms.chips.check("loihi_lava_typ_99.npz")
    ... except ValueError as error:
    ...     print(error)
    A golden file must be there. There is none at loihi_lava_typ_99.npz.
    """
    path = as_path(file)
    name = family_of(path.name)
    arrays, meta = _read(path)
    module, function = FAMILIES[name].function.split(":")
    recompute = getattr(importlib.import_module(f".{module}", __package__), function)
    try:
        found: dict[str, np.ndarray] = recompute(arrays, meta)
        largest = {key: _difference(key, arrays, ours) for key, ours in found.items()}
    except KeyError as error:
        raise ValueError(f"{path.name} must hold what files of {name}_* do. It lacks {error}.") from error
    within = {key: 0.0 if ours.dtype.kind in "iub" else FAMILIES[name].tolerance for key, ours in found.items()}
    equal = all(largest[key] <= within[key] for key in found)
    return Judgement(path.name, FAMILIES[name].rule, largest, equal)


def family_of(name: str) -> str:
    """The family of a file of that name."""
    for family in sorted(FAMILIES, key=len, reverse=True):
        if name.startswith(family):
            return family
    raise ValueError(did_you_mean("The name of a golden file", name, FAMILIES, what="of a known family"))


def _read(path: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    if not path.is_file():
        raise ValueError(f"A golden file must be there. There is none at {path}.")
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:  # numpy leaves a damaged one open
            if sum(info.file_size for info in file.zip.infolist()) > MOST_BYTES:
                raise ValueError(f"its arrays have more than {MOST_BYTES} bytes")
            arrays = {name: file[name] for name in file.files}
        return {name: each for name, each in arrays.items() if name != "meta"}, json.loads(str(arrays["meta"]))
    except (ValueError, OSError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path.name} must be an npz of arrays with a JSON text `meta`. It is not: {error}") from error


def _difference(name: str, arrays: dict[str, np.ndarray], ours: np.ndarray) -> float:
    theirs = arrays[name]
    if theirs.shape != ours.shape:
        raise ValueError(f"`{name}` must have the shape {ours.shape}. Got {theirs.shape} in the file.")
    if ours.dtype.kind in "iub":
        if theirs.dtype.kind not in "iub":
            raise ValueError(f"`{name}` must be whole numbers, as the rule's are. Got {theirs.dtype} in the file.")
        return float(np.abs(theirs.astype(np.int64) - ours.astype(np.int64)).max(initial=0))
    size = np.abs(theirs).max(initial=0.0)
    return float(np.abs(theirs - ours).max(initial=0.0) / (size if size > 0 else 1.0))
