"""What people call cells, devices and layers that code calls otherwise."""

import re
from collections.abc import Mapping

from .._checks import checked

WORDS = {
    "pcm": "PCM", "rram": "RRAM", "reram": "ReRAM", "cmo": "CMO", "hfox": "HfOx", "hfo2": "HfO2", "sonos": "SONOS",
    "ecram": "ECRAM", "fefet": "FeFET", "mtj": "MTJ", "mo": "metal-oxide", "es": "ES", "sb": "SB", "om": "OM",
    "hp": "HP", "vteam": "VTEAM", "mms": "MMS", "jart": "JART VCM v1b", "stanford": "Stanford-PKU", "data": "Data",
    "onesided": "one-sided", "hermes1": "HERMES 1", "hermes2": "HERMES 2",
}  # fmt: skip
PAPER = re.compile(r"([a-z]+)((?:19|20)\d\d)")
KEY = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


@checked()
def readable(name: str, label: Mapping[str, str] | None = None) -> str:
    """What a figure calls the cell, device, layer or method `name`.

    A name in `label` is what that says. A key of `device_models`, technology and paper, becomes words; any other name
    stays as it is.

    **Arguments:**

    - `name`: A coordinate of a result, such as "pcm_joshi2020" or "layers[0]".
    - `label`: Names of yours: `{"layers[0]": "hidden"}`.

    >>> import memsim as ms
    >>> ms.plotting.readable("pcm_joshi2020")
    'PCM (Joshi 2020)'
    >>> ms.plotting.readable("layers[0]", {"layers[0]": "hidden"})
    'hidden'
    """
    if label is not None and name in label:
        return label[name]
    first, *rest = name.split("_")
    paper = PAPER.fullmatch(rest[-1] if rest else first)
    if not KEY.fullmatch(name) or (first not in WORDS and paper is None):
        return name
    before = [first, *rest][: -1 if paper else None]
    if paper and before == ["data"]:
        return f"Data-{paper[1]} {paper[2]}"
    said = "/".join(map(_word, before[:2])) if before == ["cmo", "hfox"] else " ".join(map(_word, before))
    if paper is None:
        return said if len(before) < 2 else f"{_word(first)} ({' '.join(map(_word, rest))})"
    cited = f"{paper[1].capitalize()} {paper[2]}"
    return f"{said[0].upper()}{said[1:]} ({cited})" if said else cited


def _word(part: str) -> str:
    return WORDS.get(part, part)
