"""Strict settings for every test: types and shapes are checked at run time, dtypes and ranks never promote silently."""

import gc
import os

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
jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_numpy_rank_promotion", "raise")
install_import_hook(["memsim", "device_models"], "beartype.beartype")  # before anything imports them


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
    """Compiled functions keep memory mappings, of which a process has 65 530: a whole run would exceed them."""
    yield
    jax.clear_caches()
    gc.collect()
