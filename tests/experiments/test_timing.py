"""What benchmarks share: a function with its arguments, timed in turn with others."""

import jax.numpy as jnp
import xarray as xr

from memsim._cli import load_script

clock = load_script("experiments", "speed").clock


def test_calls_are_functions_with_their_arguments():
    assert clock.together([(jnp.add, jnp.ones(2), 1.0), (jnp.sin, 0.0)], 3).shape == (3, 2)
    assert clock.ratio((jnp.add, 1.0, 2.0), (jnp.sin, 0.0), 3) > 0
    assert clock.seconds(jnp.sin, 1.0) >= 0


def test_cases_are_printed_and_written_with_what_they_should_stay_below(tmp_path, capsys):
    cases = [clock.Case("one", 1.5, 2.0), clock.Case("two", 0.1, 1.0, "s")]
    clock.measured([cases], tmp_path / "out" / "speed.nc", {"rounds": 3})
    with xr.open_dataset(tmp_path / "out" / "speed.nc") as result:
        assert list(result.value.values) == [1.5, 0.1] and list(result.unit.values) == ["ratio", "s"]
    assert (tmp_path / "out" / "speed.csv").exists() and "target <= 2" in capsys.readouterr().out
