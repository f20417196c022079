"""A line of progress is there where a person looks, and nowhere else; work within work speaks through it."""

import io
import sys
import time

import pytest

from memsim._keeping import progress


class Screen(io.StringIO):
    def isatty(self):
        return True


def look(monkeypatch):
    """A screen in the place of standard error, which pytest takes for itself between a fixture and its test."""
    monkeypatch.setattr(sys, "stderr", Screen())
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("TERM", "xterm")
    return sys.stderr


def wait_for(words, screen):
    """Until the line, which is drawn anew some times a second, says so."""
    end = time.monotonic() + 30.0
    while words not in screen.getvalue():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_nothing_is_written_where_nobody_looks(monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with progress("sweep", 3, words="compiling") as show:
        show(1, "words")
    assert sys.stderr.getvalue() == ""


def test_a_person_reads_what_is_done_and_that_it_compiles(monkeypatch):
    screen = look(monkeypatch)
    with progress("sweep", 3, words="compiling") as show:
        pass
    assert "sweep: compiling" in screen.getvalue() and "0/3" in screen.getvalue()
    with progress("sweep", 3, first=1) as show:
        show(2, "one failed")
    assert "one failed" in screen.getvalue() and "2/3" in screen.getvalue()


def test_work_within_work_speaks_through_the_words_of_the_outer_line(monkeypatch):
    screen = look(monkeypatch)
    with progress("sweep", 5) as outer:
        with progress("epoch", 40, words="compiling") as inner:
            inner(7, "loss 0.5")
            wait_for("epoch 7 of 40: loss 0.5", screen)
        with pytest.raises(ValueError), progress("epoch", 40):
            raise ValueError
        outer(1)
    said = screen.getvalue()
    assert "/40" not in said and "1/5" in said
    with progress("next", 2) as show:  # the line is free again
        show(1)
    assert "1/2" in screen.getvalue()
