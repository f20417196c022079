"""BibTeX of what a device's numbers come from."""

import re
from pathlib import Path
from typing import Any

import equinox as eqx

from ._checks import judge
from ._device import AbstractDevice
from .memristors._memristor import AbstractMemristor
from .pulsed._pulsed import AbstractPulsed

KEY = re.compile(r"\b[A-Z][A-Za-z]+(?:19|20)\d\d\b")


def citation(model: Any) -> str:
    """The BibTeX entries of the papers that the numbers of `model` were read in, one after the other.

    `model` is a device, a memristor or a pulsed device, wrapped or not: anything with `sources`. A model of your own
    numbers, or without any, has nothing to cite, and the answer is empty. Entries noted as recalled were not read.

    >>> import device_models as dm
    >>> dm.citation(dm.pcm_joshi2020())[:28], dm.citation(dm.Ideal())
    ('@inproceedings{Nandakumar201', '')
    """
    sources = getattr(model, "sources", None) if isinstance(model, eqx.Module) else None
    if sources is None:
        judge("model", model, AbstractDevice | AbstractMemristor | AbstractPulsed)
    entries = bibliography()
    keys = dict.fromkeys(key for line in sources or () for key in KEY.findall(line))
    return "\n".join(entries[key] for key in keys if key in entries)


def bibliography() -> dict[str, str]:
    """Every entry of the bibliography by its key."""
    bundled = Path(__file__).parent / "REFERENCES.bib"
    path = bundled if bundled.exists() else Path(__file__).parent.parent / "REFERENCES.bib"
    found = re.findall(r"^@\w+\{(\w+),.*$", path.read_text(encoding="utf-8"), re.MULTILINE)
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("@")]
    return dict(zip(found, lines, strict=True))
