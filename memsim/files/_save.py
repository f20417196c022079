"""Models, chips and designs as files: `save` and `load`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from device_models._files import as_path
from device_models.fit import load_device

from .._checks import checked, described, write
from .._keeping import versions
from ._container import read
from ._container import write as write_container
from ._decode import Decoder
from ._encode import Encoder
from ._names import Known

FORMAT = "memsim"


def save(path: str | Path, thing: Any) -> None:
    """Writes a model, a chip, a design, a state of training or any other pytree of them into one file.

    The file is replaced as a whole or not at all. It is a zip of .npy arrays, which `numpy.load` opens, and of a text,
    memsim.json, that says which class has which fields; there is no pickle in it. Arrays keep their bits, random keys
    their implementation, and what stands in several places, as a layer that is used twice, is one thing again.

    **Arguments:**

    - `path`: The file, such as "network.memsim".
    - `thing`: Of modules, dataclasses, named tuples, containers, arrays, numbers, text and functions with names.

    **Raises:** `ValueError` for what cannot be written, with its place: a lambda, an open file, a traced array, an
    object without fields; `OSError` where the file cannot be written.

    >>> import device_models as dm, memsim as ms, tempfile
    >>> path = tempfile.mkdtemp() + "/design.memsim"
    >>> ms.save(path, ms.Crossbar(dm.pcm_joshi2020(), adc=ms.ADC(8)))
    >>> ms.load(path).adc.bits
    8
    """
    encoder = Encoder()
    made = encoder.encoded(thing)
    if not isinstance(made, dict | list) or "named" in made or "fresh" in made:
        raise ValueError(f"`thing` must be a model, a chip, a design or a container of them. Got {described(thing)}.")
    content = {"format": FORMAT, "kind": type(thing).__name__, "versions": versions(), "thing": made}
    write_container(path, content, encoder.arrays)


@checked(kind=write("Such as `memsim.Chip`."), allow=write("Write `allow=[MyModule]`."))
def load(path: str | Path, *, kind: type | None = None, allow: Sequence[Any] = ()) -> Any:
    """What `save` wrote, checked: bits, fields, and what the classes themselves ask of their fields.

    A file names classes and functions of memsim, device_models, Equinox, jax and optax, which are looked up and never
    run; classes and functions of yours are found among those in `allow` only. So loading a file of somebody else's runs
    none of its code. A device that `device_models.fit.save_device` wrote is read as well.

    **Arguments:**

    - `path`: The file.
    - `kind`: The class that the thing must be of, or `None` for any.
    - `allow`: Classes and functions of your own that the file may name, or modules that define them. One that has moved
      to another module is found by its name.

    **Raises:** `FileNotFoundError` where there is none; `ValueError` for a file that is cut, damaged, of another layout
    or another kind, for a class that is unknown or whose fields have changed, with their names, and for 64-bit arrays
    where jax is not set to hold them.

    >>> import jax.random as jr, device_models as dm, memsim as ms
    >>> ms.save("chip.memsim", ms.Crossbar(dm.pcm_joshi2020()).program([[0.5, -1.0]], key=jr.key(0)))
    >>> chip = ms.load("chip.memsim", kind=ms.Chip)
    >>> chip.crossbar.tile
    (256, 256)
    """
    path, known = as_path(path), Known(allow)
    if not path.is_file():
        raise FileNotFoundError(f"A file must be there to be loaded. Got {path}, which is none.")
    with open(path, "rb") as file:
        begins = file.read(1)
    found = load_device(path) if begins == b"{" else _loaded(path, known)
    if kind is not None and not isinstance(found, kind):
        raise ValueError(
            f"`kind` must be the class of what is loaded. Got {kind.__name__}; {path} holds {described(found)}."
        )
    return found


def _loaded(path: Path, known: Known) -> Any:
    content, arrays = read(path)
    try:
        return Decoder(arrays, known, path).decoded(content["thing"])
    except (KeyError, IndexError, TypeError, AttributeError, RecursionError) as error:
        said = content.get("versions", {}).get("memsim", "an unknown release")
        raise ValueError(
            f"A file must be of what `memsim.save` writes. Got {path}, of release {said}: "
            f"{type(error).__name__}, {error}."
        ) from error
