"""What one process has compiled another one finds."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import jax
import pytest
from jax.experimental.compilation_cache import compilation_cache

import memsim as ms


@pytest.fixture
def options():
    """Puts back what the tests change of JAX."""
    names = ("jax_compilation_cache_dir", "jax_persistent_cache_min_compile_time_secs")
    before = {name: getattr(jax.config, name) for name in names}
    yield
    for name, value in before.items():
        jax.config.update(name, value)
    compilation_cache.reset_cache()


def test_functions_compiled_after_others_are_kept_and_found_by_the_next_process(tmp_path):
    code = textwrap.dedent("""
        import sys, jax, memsim
        hits = []
        jax.monitoring.register_event_listener(lambda name, **_: hits.append(name))
        jax.jit(lambda x: x + 1)(1.0)  # JAX has looked for a folder before it is told of one
        memsim.enable_compilation_cache(sys.argv[1])
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
        jax.jit(lambda x: 3 * x + 2)(1.0)
        print(sum(name.endswith("/cache_hits") for name in hits))
    """)
    environment = os.environ | {"JAX_COMPILATION_CACHE_DIR": ""}

    def hits() -> int:
        words = [sys.executable, "-c", code, str(tmp_path / "deep" / "kept")]
        return int(subprocess.run(words, env=environment, check=True, capture_output=True, text=True).stdout)

    assert hits() == 0
    assert any((tmp_path / "deep" / "kept").iterdir())
    assert hits() > 0


def test_the_folder_is_that_of_the_variable_or_of_the_user(options, monkeypatch, tmp_path):
    monkeypatch.setenv("MEMSIM_CACHE", str(tmp_path / "mine"))
    assert ms.enable_compilation_cache() == tmp_path / "mine"
    assert Path(jax.config.jax_compilation_cache_dir) == tmp_path / "mine"
    monkeypatch.delenv("MEMSIM_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert ms.enable_compilation_cache() == tmp_path / "memsim" / "jax"


def test_a_folder_that_cannot_be_written_is_told_at_once(options, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        ms.enable_compilation_cache(tmp_path / "file")
    with pytest.raises(ValueError, match="folder"):
        ms.enable_compilation_cache(3)
