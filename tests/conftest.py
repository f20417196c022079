"""Strict settings for every test: types and shapes are checked at run time, dtypes and ranks never promote silently."""

import gc
import os
import shutil
import tempfile
from pathlib import Path

os.environ["JAX_PLATFORMS"] = "cpu"
os.environ["MPLBACKEND"] = "agg"
os.environ["SUBMITIT_LOG_LEVEL"] = "NOCONFIG"  # its import would close handlers of logging, and what pytest captures
# Most of the time goes into compiling: the newer emitters of XLA take twice as long, and all cores have work already.
os.environ["XLA_FLAGS"] = " ".join(
    (
        os.environ.get("XLA_FLAGS", ""),
        "--xla_cpu_use_fusion_emitters=false",
        "--xla_cpu_parallel_codegen_split_count=1",
    )
)

import jax
import pytest
from jaxtyping import config, install_import_hook

jax.config.update("jax_disable_most_optimizations", True)  # tests compile much and compute little
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
jax.config.update("jax_traceback_in_locations_limit", 0)  # which line wrote an operation: for profilers only
jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_numpy_rank_promotion", "raise")
install_import_hook(["memsim", "device_models"], "beartype.beartype")  # before anything imports them

MOST_MAPPINGS = 5_000  # some 1000 compiled functions beyond those of the imports, or 1 GB


def pytest_configure(config):
    """What one worker has compiled the other one finds, and where the user names a folder the next run, too."""
    if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
        folder = tempfile.mkdtemp(prefix="memsim-tests-")
        config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
        os.environ["JAX_COMPILATION_CACHE_DIR"] = folder  # the workers and their children inherit it
        jax.config.update("jax_compilation_cache_dir", folder)


def pytest_collection_finish():
    gc.freeze()  # what imports made stays: a collection need not look at it again and again


@pytest.fixture
def unchecked():
    """Without the run-time types, as users run: our own checks answer."""
    config.update("jaxtyping_disable", True)
    yield
    config.update("jaxtyping_disable", False)


@pytest.fixture
def optimised():
    """With XLA's optimisations, for a test that computes more than it compiles."""
    jax.config.update("jax_disable_most_optimizations", False)
    yield
    jax.config.update("jax_disable_most_optimizations", True)


@pytest.fixture(autouse=True, scope="module")
def forget_compiled():
    """Compiled functions keep memory and mappings, of which a process has 65 530: a whole run would exceed them."""
    yield
    if mappings() > MOST_MAPPINGS:
        jax.clear_caches()
        gc.collect()


def mappings():
    """How many memory mappings this process has; too many, where the system does not say."""
    maps = Path("/proc/self/maps")
    return maps.read_bytes().count(b"\n") if maps.exists() else MOST_MAPPINGS + 1
