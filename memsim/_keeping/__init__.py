"""What finished work is kept by: who does it, what made it, and its keys as numbers."""

from ._carried import Carried as Carried
from ._carried import load_file as load_file
from ._carried import scripts_of as scripts_of
from ._claims import SECONDS_BETWEEN_LOOKS as SECONDS_BETWEEN_LOOKS
from ._claims import claimed as claimed
from ._compiled import compiled_folder as compiled_folder
from ._compiled import enable_compilation_cache as enable_compilation_cache
from ._compiled import keep_compiled as keep_compiled
from ._fingerprint import fingerprint as fingerprint
from ._identity import environment as environment
from ._identity import jax_options as jax_options
from ._identity import plugin_hashes as plugin_hashes
from ._identity import source_hash as source_hash
from ._identity import versions as versions
from ._progress import Show as Show
from ._progress import looked_at as looked_at
from ._progress import progress as progress
from ._stored_key import StoredKey as StoredKey

__all__ = [
    "SECONDS_BETWEEN_LOOKS",
    "Carried",
    "Show",
    "StoredKey",
    "claimed",
    "compiled_folder",
    "enable_compilation_cache",
    "environment",
    "fingerprint",
    "jax_options",
    "keep_compiled",
    "load_file",
    "looked_at",
    "plugin_hashes",
    "progress",
    "scripts_of",
    "source_hash",
    "versions",
]
