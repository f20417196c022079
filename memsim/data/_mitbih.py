"""The MIT-BIH arrhythmia database, from its files in a folder."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Int

from device_models._files import as_path

from .._checks import checked
from ._ecg import Electrocardiogram

# DeChazal2004, Table II, recalled: patients of one half are not in the other; the four with pacemakers are in none.
DS1, DS2 = (
    part.split()
    for part in (
        "101 106 108 109 112 114 115 116 118 119 122 124 201 203 205 207 208 209 215 220 223 230",
        "100 103 105 111 113 117 121 123 200 202 210 212 213 214 219 221 222 228 231 232 233 234",
    )
)
# The AAMI's classes of the codes of annotations (1 N, 2 L, 3 R, 34 e, 11 j; 8 A, 4 a, 7 J, 9 S; 5 V, 10 E; 6 F; 12 /,
# 38 f, 13 Q), as recalled.
CLASSES = dict.fromkeys((1, 2, 3, 11, 34), 0) | dict.fromkeys((4, 7, 8, 9), 1) | dict.fromkeys((5, 10), 2)
CLASSES |= {6: 3} | dict.fromkeys((12, 13, 38), 4)
SKIP, NUMBER, CHANNEL, TEXT = 59, 60, 62, 63
MISSING = -2048  # of format 212: no sample
GAIN = 200.0  # of a header that says none, in units a millivolt
LICENCE = "ODC-By 1.0"
CITATION = "G. B. Moody and R. G. Mark, The impact of the MIT-BIH Arrhythmia Database, IEEE EMBS Magazine 20 (2001)."


@checked()
def mitbih(
    folder: Path | str, part: Literal["DS1", "DS2"] = "DS1", *, records: Sequence[str] | None = None
) -> tuple[Electrocardiogram, ...]:
    """Recordings of the MIT-BIH arrhythmia database, read from files that are there: nothing is fetched.

    Each record is three files, such as 100.hea, 100.dat in format 212, and 100.atr. Annotations that are no beats, such
    as changes of rhythm, are left out; beats have the classes of the AAMI. A sample that is marked as missing is the
    one before, or the first there is.

    **Arguments:**

    - `folder`: Where the files are.
    - `part`: Of the usual division by patients: "DS1" to learn from, "DS2" to be judged on.
    - `records`: Other ones than those of a part, by name.

    Raises `FileNotFoundError` for files that are missing, `ValueError` for damaged ones and other formats. Licence:
    ODC-By 1.0, as recalled. Reference: Moody2001; DeChazal2004 for the division.

    >>> import numpy as np, memsim as ms
    >>> from pathlib import Path
    >>> lead = "mine.dat 212 200 11 0\\n"
    >>> size = Path("mine.hea").write_text("mine 2 360 4\\n" + 2 * lead)  # two leads, four samples of zero
    >>> np.zeros(12, np.uint8).tofile("mine.dat")
    >>> np.array([5 << 10 | 2, 0], "<u2").tofile("mine.atr")  # a ventricular beat at sample 2
    >>> (heart,) = ms.data.mitbih(".", records=["mine"])
    >>> heart.beats.tolist(), heart.labels.tolist()
    ([2], [2])
    """
    folder = as_path(folder)
    names = {"DS1": DS1, "DS2": DS2}[part] if records is None else list(records)
    files = [f"{name}.{end}" for name in names for end in ("hea", "dat", "atr")]
    if len(set(names)) < len(names) or not names:
        raise ValueError(f"`records` must name one record or more, none twice. Got {', '.join(names) or 'none'}.")
    missing = [file for file in files if not (folder / file).is_file()]
    if missing:
        raise FileNotFoundError(
            f"{folder} must hold the files of all records. {len(missing)} are missing, the first {missing[0]}. Get "
            "them from PhysioNet (mitdb), or name some with `records=`."
        )
    return tuple(read_wfdb(folder, name) for name in names)


def read_wfdb(folder: Path, name: str) -> Electrocardiogram:
    """One record: header, signals in format 212, annotations."""
    try:
        rate, samples, gains, zeros = _header((folder / f"{name}.hea").read_text("ascii").splitlines(), name)
        codes = _signals((folder / f"{name}.dat").read_bytes(), len(gains), samples)
        places, labels = _beats((folder / f"{name}.atr").read_bytes())
        signal = (codes - np.asarray(zeros)) / np.asarray(gains) * 1e-3
        return Electrocardiogram(signal, rate, places, labels, name, LICENCE, CITATION)
    except (ValueError, IndexError) as error:  # UnicodeDecodeError is a ValueError
        said = str(error).rstrip(".")
        raise ValueError(
            f"{folder / name} must be a whole record with signals in format 212. Reading it gave: {said}. "
            "Fetch its three files again."
        ) from error


def _header(lines: list[str], name: str) -> tuple[float, int, list[float], list[float]]:
    """Rate, samples a signal, and for each signal units a millivolt and the unit of zero."""
    lines = [line for line in lines if line.strip() and not line.startswith("#")]
    first = lines[0].split() if lines else []
    if len(first) < 4:
        raise ValueError("the header must begin with a name, and the numbers of signals, hertz and samples")
    _, signals, rate, samples = first[:4]
    gains, zeros = [], []
    for line in lines[1 : 1 + int(signals)]:
        file, form, gain, _, zero = (*line.split()[:5], "0", "0", "0", "0")[:5]
        if form != "212" or file != f"{name}.dat":
            raise ValueError(f"signals of {name}.dat in format 212 are read, and not those of {file} in {form}")
        gain, _, unit = gain.partition("/")
        gain, _, baseline = gain.partition("(")
        if unit not in ("", "mV"):
            raise ValueError(f"signals are read in mV, and not in {unit}")
        gains.append(float(gain) or GAIN)
        zeros.append(float(baseline.rstrip(")") or zero))
    if len(gains) != int(signals) or not gains:
        raise ValueError(f"the header names {signals} signals and describes {len(gains)}")
    return float(rate.partition("/")[0]), int(samples), gains, zeros


def _signals(raw: bytes, signals: int, samples: int) -> Int[np.ndarray, "samples signals"]:
    """Two numbers of 12 bits in three bytes; their high bits are in the middle one."""
    if 2 * len(raw) // 3 < signals * samples or samples < 1:
        needed = -(-3 * signals * samples // 2)
        raise ValueError(f"{samples} samples of {signals} signals need {needed} bytes, not {len(raw)}")
    data = np.frombuffer(raw + b"\0" * (-len(raw) % 3), np.uint8).reshape(-1, 3).astype(np.int32)
    first, second = data[:, 0] | (data[:, 1] & 15) << 8, data[:, 2] | (data[:, 1] & 240) << 4
    codes = np.stack([first, second], axis=1).ravel()[: signals * samples].reshape(samples, signals)
    codes = np.where(codes >= 2048, codes - 4096, codes)
    known = codes != MISSING
    there = np.where(known, np.expand_dims(np.arange(samples), 1), np.argmax(known, axis=0))
    return np.take_along_axis(codes, np.maximum.accumulate(there), axis=0)


def _beats(raw: bytes) -> tuple[Int[np.ndarray, " beats"], Int[np.ndarray, " beats"]]:
    """Samples and classes of the beats. An annotation is six bits of its code, and ten of samples since the last."""
    words = np.frombuffer(raw[: len(raw) // 2 * 2], "<u2").astype(int)
    places, labels, place, time = [], [], 0, 0
    while place < len(words) and words[place] != 0:
        code, value = words[place] >> 10, words[place] & 1023
        place += 1
        if code == SKIP:  # 32 bits follow, the high half first
            since = int(words[place] << 16 | words[place + 1])
            time += since - (1 << 32) * (since >= 1 << 31)
            place += 2
        elif code == TEXT:
            place += -(-value // 2)
        elif not NUMBER <= code <= CHANNEL:
            time += int(value)
            if code in CLASSES:
                places.append(time)
                labels.append(CLASSES[code])
    if place >= len(words):
        raise ValueError("the annotations are cut: they do not end with a zero")
    if not places:
        raise ValueError("the annotations name no beat")
    return np.asarray(places), np.asarray(labels)
