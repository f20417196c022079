"""What a reader needs to judge a figure stands in the file beside it, not in the figure."""

import inspect
import json
import logging

import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure

import memsim as ms
from memsim._cli import load_script, main
from memsim._cli._scripts import scripts
from memsim.plotting import _save

CONFIG = json.dumps(
    {"device": "pcm_joshi2020", "times": [0.0, 3600.0], "adc_bits": 8, "out": "results/x", "quick": False}
)


def result(**attributes):
    right = np.random.default_rng(0).random((3, 20, 2, 200)) < 0.9
    variables = ms.study.packed(right).variables(("seed", "chip", "time"), 200)
    data = xr.Dataset(variables, {"time": [0.0, 3600.0]}, {"config": CONFIG} | ms.study.provenance() | attributes)
    return data.assign(adc_clipped=("layer", [0.001, 0.03]))


def test_a_caption_counts_chips_seeds_and_recordings_and_tells_conditions_and_origin():
    data = result(data="Some corpus. CC0")
    figure = ms.plotting.accuracy_over_time(data)
    text = ms.plotting.caption(figure, data, title="Drift.", command="memsim draw drift", file="a/b/drift.nc")
    lines = text.splitlines()
    assert lines[0] == "Drift." and "thick bars: 95 % interval of the mean" in lines[1]
    assert "Counted: 3 training seeds, 20 chips, 200 test recordings" in lines
    assert "Beside accuracy: currents beyond the ADC 0.1 to 3 %" in lines
    assert "Settings: device pcm_joshi2020; times 0, 3600; adc bits 8" in lines
    assert "Data: Some corpus. CC0" in lines and "Drawn by: memsim draw drift" in lines
    (origin,) = [line for line in lines if line.startswith("Result: ")]
    assert "drift.nc" in origin and "a/b" not in origin and data.git in origin and f"jax {ms_version('jax')}" in origin


def ms_version(name):
    return json.loads(ms.study.provenance()["versions"])[name]


def test_one_chip_is_no_chips_and_a_quick_run_is_told():
    data = result(config=json.dumps({"quick": True})).isel(chip=[0])
    text = ms.plotting.caption(Figure(), data)
    assert "Counted: 3 training seeds, 1 chip, 200 test recordings" in text and "MEAN NOTHING" in text


def test_a_caption_tells_no_folder_of_a_machine_and_no_option_that_was_not_used():
    settings = {"folder": "/home/someone/sets", "mitbih": None, "chips": 3}
    text = ms.plotting.caption(Figure(), result(config=json.dumps(settings)))
    assert "Settings: folder sets; chips 3" in text


def test_kinds_of_cells_are_not_counted_as_cells():
    data = xr.Dataset({"accuracy": (("cell", "chip"), np.ones((2, 4)))}, {"cell": ["PCM", "RRAM"]})
    assert "Counted: 4 chips\n" in ms.plotting.caption(Figure(), data)


@pytest.mark.parametrize("name", sorted(scripts("figures")))
def test_every_figure_is_drawn_by_journal_and_label_and_has_its_caption_beside(name):
    script = load_script("figures", name)
    assert {"result", "out", "journal", "label"} <= set(inspect.signature(script.draw).parameters)
    file = scripts("figures")[name]
    assert file.with_suffix(".txt").is_file() or not file.with_suffix(".png").is_file()


def test_a_figure_has_no_sentences_in_it():
    figure = ms.plotting.accuracy_over_time(result())
    texts = [text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text"))]
    assert max(map(len, texts)) < 40 and len(figure.get_label()) > 100


def test_a_caption_is_written_beside_and_none_where_none_is_given(tmp_path):
    files = ms.plotting.save(Figure(), tmp_path / "a.b", caption="Two lines.\nOf text. µ\n\n")
    assert [file.name for file in files] == ["a.b.pdf", "a.b.png", "a.b.txt"]
    assert files[-1].read_text(encoding="utf-8") == "Two lines.\nOf text. µ\n"
    assert [file.suffix for file in ms.plotting.save(Figure(), tmp_path / "c")] == [".pdf", ".png"]
    assert not (tmp_path / "c.txt").exists()


def test_a_caption_of_a_former_figure_does_not_stay(tmp_path):
    ms.plotting.save(Figure(), tmp_path / "a", caption="Of the former.")
    ms.plotting.save(Figure(), tmp_path / "a")
    assert not (tmp_path / "a.txt").exists()


def test_another_font_than_arial_is_told_once(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr("device_models._style.FONTS", ("No Such Font", "DejaVu Sans"))
    _save._say_font.cache_clear()
    with caplog.at_level(logging.WARNING):
        for name in "ab":
            ms.plotting.save(Figure(), tmp_path / name)
    told = [record.getMessage() for record in caplog.records if "Arial" in record.getMessage()]
    assert len(told) == 1 and "set in DejaVu Sans" in told[0]
    assert "Type: DejaVu Sans, since Arial is not installed" in ms.plotting.caption(Figure())


def test_a_command_writes_pdf_png_and_caption(tmp_path, capsys):
    loops = tmp_path / "hysteresis.nc"
    import figure_data

    ms.study.save_result(figure_data.loops(), loops)
    words = ["draw", "hysteresis", "--result", str(loops), "--out", str(tmp_path / "x"), "--journal", "ieee"]
    assert main([*words, "--label", "hp_strukov2008", "our device"]) == 0
    text = (tmp_path / "x.txt").read_text()
    assert text.startswith(load_script("figures", "hysteresis").__doc__.split("\n\n")[0])
    assert "Drawn by: memsim draw hysteresis --journal ieee" in text and "hysteresis.nc" in text
    assert b"/FontFile2" in (tmp_path / "x.pdf").read_bytes() and b"/Type3" not in (tmp_path / "x.pdf").read_bytes()
    assert capsys.readouterr().out.count("Wrote") == 3


@pytest.mark.parametrize("columns", [1, 1.5, 2])
def test_a_middle_width_is_of_journals_that_have_one(columns, unchecked):
    assert ms.plotting.width("science", columns) * 25.4 == pytest.approx({1: 57, 1.5: 121, 2: 184}[columns])
    if columns == 1.5:
        with pytest.raises(ValueError, match="`columns` must be 1 or 2 for nature"):
            ms.plotting.width("nature", columns)


def test_a_folder_that_is_a_file_is_told(tmp_path):
    (tmp_path / "figures").write_text("a file")
    with pytest.raises(OSError, match=r"folder must be writable\. Got .*figures\. Choose another"):
        ms.plotting.save(Figure(), tmp_path / "figures" / "x")
