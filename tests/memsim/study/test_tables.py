"""Numbers have the digits that their uncertainty allows, and tables are what LaTeX, Markdown and CSV read."""

import csv
import io

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import memsim as ms

NAN = float("nan")
written = ms.study.with_uncertainty


@pytest.mark.parametrize(
    ("found", "settings", "text"),
    [
        ((0.93412, 0.9318, 0.9364), {"percent": True}, "93.41 ± 0.23"),
        ((0.934, 0.931, 0.937), {"percent": True, "form": "brackets"}, "93.4 [93.1, 93.7]"),
        ((0.934, 0.9326, 0.9354), {"percent": True, "form": "brackets"}, "93.40 [93.26, 93.54]"),
        ((0.934, 0.931, 0.937), {"percent": True, "form": "brackets", "digits": 2}, "93.40 [93.10, 93.70]"),
        ((0.93412, 0.9318, 0.9364), {"markup": "latex"}, r"\num{0.9341 +- 0.0023}"),
        ((1.234e-6, 1.1e-6, 1.35e-6), {}, "(1.23 ± 0.13)e-6"),
        ((1.234e-6, 1.1e-6, 1.35e-6), {"markup": "latex"}, r"\num{1.23 +- 0.13 e-6}"),
        (
            (1.234e-6, 1.1e-6, 1.4e-6),
            {"form": "brackets", "markup": "latex"},
            r"\num{1.23e-6} [\num{1.10e-6}, \num{1.40e-6}]",
        ),
        ((12345.0, 11000.0, 13500.0), {}, "12300 ± 1300"),
        ((12345678.0, 12e6, 12.6e6), {}, "(1.235 ± 0.035)e7"),
        ((0.05, 0.0, 0.0996), {}, "0.050 ± 0.050"),
        ((1.0, 0.0, 1.9996), {}, "1.0 ± 1.0"),
        ((0.5, 0.4003, 0.5997), {}, "0.50 ± 0.10"),  # rounding carries 0.0997 to two digits of 0.10
        ((-1e-4, -0.1, 0.1), {}, "0.00 ± 0.10"),  # no minus zero
        ((0.9, 0.8, 0.93), {}, "0.90 ± 0.10"),  # the longer side
        ((93.412345, NAN, NAN), {}, "93.41"),
        ((NAN, NAN, NAN), {}, "–"),
        ((NAN, NAN, NAN), {"markup": "latex"}, "--"),
        ((5.0, 5.0, 5.0), {}, "5.000 ± 0.000"),
    ],
)
def test_a_number_has_the_digits_of_its_uncertainty(found, settings, text):
    assert written(found, **settings) == text
    assert written(ms.study.Interval(*found), **settings) == text


def test_what_is_written_is_within_half_a_last_digit():
    """Of random numbers of all sizes: read back, the mean and the half width are right to two digits of it."""
    rng = np.random.default_rng(0)
    for _ in range(500):
        half = 10 ** rng.uniform(-9, 9)
        mean = half * 10 ** rng.uniform(-1, 4)
        text = written((mean, mean - half, mean + half))
        power = float(f"1e{text.rpartition('e')[2]}") if "e" in text else 1.0
        number, _, error = text.partition("e")[0].strip("()").partition(" ± ")
        assert abs(float(number) * power - mean) <= 0.051 * half and abs(float(error) * power - half) <= 0.051 * half
        assert len(error.replace(".", "").strip("0")) <= 2


def test_a_number_that_is_none_is_refused(unchecked):
    for found in ((1.0, 2.0, 3.0), (1.0, NAN, 3.0), (1.0, 0.5, float("inf")), "1 ± 2", (1.0, 2.0)):
        with pytest.raises(ValueError, match="`found` must be"):
            written(found)


@pytest.fixture
def accuracy():
    rng = np.random.default_rng(1)
    values = np.reshape([0.9, 0.95], (2, 1, 1, 1)) + 0.01 * rng.normal(size=(2, 2, 3, 10))
    places = {"training": ["plain_a|b", "robust & 5%"], "time": [0.0, 31536000.0]}
    found = xr.DataArray(values, places, ("training", "time", "seed", "chip"))
    return found.where((found.training == "plain_a|b") | (found.time == 0.0))


def test_a_table_in_latex_is_escaped_and_its_best_are_bold(accuracy):
    lines = ms.study.table(accuracy, "time", percent=True, best="highest").to_latex().splitlines()
    cells = [written(ms.study.interval(accuracy[0, place]), percent=True, markup="latex") for place in (0, 1)]
    best = written(ms.study.interval(accuracy[1, 0]), percent=True).replace("±", r"\pm")
    assert lines[:2] == [r"\begin{tabular}{lcc}", r"\toprule"]
    assert lines[2] == r"training & time 0 (\%) & time 31536000 (\%) \\"
    bold = r"$\mathbf{" + cells[1].removeprefix(r"\num{").removesuffix("}").replace("+-", r"\pm") + "}$"
    assert lines[4] == rf"plain\_a|b & {cells[0]} & {bold} \\"
    assert lines[5] == rf"robust \& 5\% & $\mathbf{{{best}}}$ & -- \\"
    assert lines[6:] == [r"\bottomrule", r"\end{tabular}"]
    small = ms.study.table(1e-6 * accuracy, "time", best="lowest").to_latex()
    assert r")  \times 10^{-7}}$" in small or r") \times 10^{-7}}$" in small


def test_a_table_in_markdown_has_as_many_cells_in_each_line(accuracy):
    lines = ms.study.table(accuracy, "time", best="lowest", form="brackets").to_markdown().splitlines()
    assert lines[1] == "| --- | ---: | ---: |"
    assert lines[2].startswith(r"| plain\_a\|b | **0.") and lines[2].count("**") == 4
    assert lines[3].endswith("| – |")


def test_a_table_in_csv_is_read_back_within_its_digits(accuracy):
    text = ms.study.table(accuracy, "time", percent=True).to_csv()
    rows = list(csv.DictReader(io.StringIO(text)))
    found = ms.study.interval(accuracy[0, 1])
    read = [float(rows[0][f"time 31536000{bound} (%)"]) for bound in ("", " low", " high")]
    np.testing.assert_allclose(read, 100 * np.array(found), atol=0.05 * 100 * (found.high - found.low))
    assert rows[1]["time 31536000 (%)"] == rows[1]["time 31536000 low (%)"] == ""
    assert rows[1]["training"] == "robust & 5%"


def test_a_table_is_of_frames_too_and_without_columns(accuracy):
    frame = ms.study.compare(accuracy.sel(time=0.0))
    lines = ms.study.table(frame, form="brackets").to_text().splitlines()
    assert lines[0].split() == ["first", "second", "mean"]
    assert "[" in lines[1] and lines[1].startswith("plain_a|b  robust & 5%")
    assert ms.study.table(accuracy[0, 0]).to_csv().splitlines()[0] == "mean,mean low,mean high"
    with pytest.raises(ValueError, match="one row for each of its labels"):
        ms.study.table(pd.concat([frame, frame]))


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"columns": "tim"}, "Did you mean time"),
        ({"best": "high"}, "`best` must be"),
        ({"result": pd.DataFrame({"mean": [1.0]})}, "rows with `mean`, `low` and `high`"),
    ],
)
def test_a_table_that_cannot_be_is_refused(accuracy, settings, says, unchecked):
    with pytest.raises(ValueError, match=says):
        ms.study.table(**({"result": accuracy} | settings))
