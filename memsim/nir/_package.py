"""The interchange package, imported where it is used."""

from typing import Any


def nir_package() -> Any:
    """The package `nir`; raises `ImportError` with the remedy where it is not installed."""
    try:
        import nir
    except ImportError as error:
        raise ImportError(
            "Reading and writing NIR needs the package `nir`. It is not installed. Run: pip install 'memsim[nir]'"
        ) from error
    return nir
