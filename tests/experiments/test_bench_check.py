"""The gate of `make bench-check` fails for what has become slower or is missing, and for nothing else."""

import math
from pathlib import Path

import pytest

from memsim._keeping import load_file

SCRIPT = Path(__file__).parents[2] / "experiments" / "_bench_check.py"


@pytest.fixture(scope="module")
def check():
    return load_file("bench_check", SCRIPT)


def test_only_ratios_that_have_grown_by_more_than_a_quarter_fail(check):
    stored = {"a": 1.0, "b": 2.0, "c": 0.5, "d": 1.0, "e": 1.0}
    found = {"a": 1.24, "b": 2.6, "c": 0.1, "e": math.nan, "new": 9.0}
    assert check.slower(found, stored) == [
        "b: 2.6, 1.30 times the stored 2",
        "d: not measured",
        "e: nan, nan times the stored 1",
    ]


def test_the_stored_ratios_are_read_and_pass_against_themselves(check):
    stored = check.ratios(check.STORED)
    assert stored and all(value > 0 for value in stored.values())
    assert check.slower(stored, stored) == []
