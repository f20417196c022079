"""The formats of event recordings, each in its file, by the ending that a recording's name has."""

from ._aedat2 import MAGIC as AEDAT2
from ._aedat2 import decode_aedat2
from ._aedat3 import decode_aedat3, encode_aedat3
from ._aedat4 import read_aedat4, write_aedat4
from ._atis import decode_atis, encode_atis
from ._dat import decode_dat, encode_dat
from ._es import decode_es, encode_es
from ._format import Format as Format
from ._format import of_bytes as of_bytes
from ._metavision import read_metavision
from ._raw import Encoding as Encoding
from ._raw import decode_raw, encode_raw
from ._tables import decode_csv, encode_csv, read_npy, write_npy
from ._tables import load_npy as load_npy


def raw_format(encoding: Encoding) -> Format:
    """RAW recordings, read as their header says and written in one of their encodings."""
    return of_bytes(decode_raw, lambda events, size: encode_raw(events, size, encoding))


FORMATS = {
    ".bin": of_bytes(decode_atis, encode_atis),
    ".aedat": of_bytes(lambda raw: (decode_aedat2 if raw.startswith(AEDAT2) else decode_aedat3)(raw), encode_aedat3),
    ".aedat4": Format(read_aedat4, write_aedat4),
    ".dat": of_bytes(decode_dat, encode_dat),
    ".es": of_bytes(decode_es, encode_es),
    ".raw": raw_format("evt3"),
    ".h5": Format(read_metavision),
    ".hdf5": Format(read_metavision),
    ".npy": Format(read_npy, write_npy),
    ".csv": of_bytes(decode_csv, encode_csv),
}

__all__ = [
    "Encoding",
    "Format",
    "load_npy",
    "of_bytes",
    "raw_format",
]
