"""The standard figures look as they did, tell what is in their data, and are as journals want them."""

import re
from functools import cache

import matplotlib
import numpy as np
import pytest
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex
from matplotlib.text import Text

import device_models as dm
import figure_data
import memsim as ms

DRAWN_WITH = (3, 11)  # of the images in tests/data/figures: other minor versions set type elsewhere
other_version = tuple(map(int, matplotlib.__version__.split(".")[:2])) != DRAWN_WITH
CALLS = {name: (getattr(ms.plotting, name), *rest) for name, rest in figure_data.STANDARD.items()}


@pytest.fixture(autouse=True)
def one_font(monkeypatch):
    """That which comes with matplotlib, wherever the tests run."""
    monkeypatch.setattr("device_models._style.FONTS", ("DejaVu Sans",))


@cache
def laid_out(name):
    """A figure for Nature, everything in its place."""
    with ms.plotting.style("nature"):
        figure = drawn(name)
        figure.draw_without_rendering()
    return figure


def drawn(name, journal="nature", **options):
    function, make, given = CALLS[name]
    return function(make(), journal=journal, **(given | options))


def with_its_image(name):
    """A test that compares one figure with its image."""

    @pytest.mark.skipif(other_version, reason="the images were drawn with another minor version of matplotlib")
    @pytest.mark.mpl_image_compare(
        baseline_dir="../../data/figures",
        filename=f"{name}.png",
        tolerance=2,
        savefig_kwargs={"dpi": 60},
        style="default",
    )
    def test():
        return drawn(name)

    return test


for _name in CALLS:
    globals()[f"test_{_name}_looks_as_it_did"] = with_its_image(_name)


@pytest.mark.parametrize("journal", ms.plotting.JOURNALS)
@pytest.mark.parametrize("name", ["accuracy_over_time", "hysteresis"])
def test_a_journal_gets_its_widths_type_and_letters(name, journal):
    with ms.plotting.style(journal):
        figure, chosen = drawn(name, journal), ms.plotting.JOURNALS[journal]
        figure.draw_without_rendering()
    assert figure.get_figwidth() == pytest.approx(chosen.widths[2])
    assert figure.get_figheight() <= chosen.tallest + 1e-9
    letters = [text for text in figure.axes[0].texts if text.get_text() == chosen.letters]
    assert len(letters) == 1 and letters[0].get_fontsize() == chosen.letter


@pytest.mark.parametrize("name", CALLS)
def test_no_line_is_thin_no_type_small_and_text_is_black(name):
    figure = laid_out(name)
    for line in figure.findobj(matplotlib.lines.Line2D):
        assert line.get_linewidth() >= 0.5 or line.get_linestyle() == "None"
    for lines in figure.findobj(LineCollection):
        assert not lines.get_segments() or min(lines.get_linewidths()) >= 0.5
    for text in figure.findobj(Text):
        if text.get_text().strip() and text.get_visible():
            assert 5 <= text.get_fontsize() <= 8, text
            assert to_hex(text.get_color()) in ("#000000", "#4d4d4d"), text  # Nature takes no coloured text


@pytest.mark.parametrize("name", CALLS)
def test_no_type_is_cut_at_the_edge(name):
    figure = laid_out(name)
    box, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    room = 0.01  # inches, by which a layout of whole pixels may miss
    assert box.x0 >= -room and box.y0 >= -room and box.x1 <= width + room and box.y1 <= height + room
    for text in (text for axes in figure.axes for text in axes.texts):  # titles over two panels are outside the layout
        assert text.get_window_extent().x1 <= figure.bbox.x1 + 1, text


@pytest.mark.parametrize("name", CALLS)
def test_a_figure_says_what_its_bars_and_bands_are(name):
    assert re.search(
        r"percentile|interval|without a? ?spread|smallest to largest|no spread|standard deviation", said(name)
    )


def said(name):
    return ms.plotting.caption(drawn(name), CALLS[name][1]())


@pytest.mark.parametrize("name", [name for name in CALLS if "label" in figure_data.STANDARD[name][1]])
def test_layers_are_called_as_users_call_them(name):
    texts = {text.get_text() for text in drawn(name).findobj(Text)}
    assert any("hidden" in text for text in texts) and not any(".layers" in text for text in texts)


def test_lines_are_means_and_bars_stand_beside_each_other():
    data = figure_data.noisy()
    figure = drawn("accuracy_over_noise")
    figure.draw_without_rendering()
    axes = figure.axes[0]
    for line, training in zip(axes.lines, data.training.values, strict=True):
        mean = 100 * data.accuracy.sel(training=training).mean("chip")
        np.testing.assert_allclose(line.get_ydata(), mean)
        np.testing.assert_allclose(line.get_xdata(), 100 * data.noise)
    first, second = (line.get_transform().transform([(5.0, 90.0)])[0, 0] for line in axes.lines)
    assert second - first == pytest.approx(2.6 / 72 * figure.dpi)


def test_thick_bars_are_intervals_and_thin_ones_percentiles():
    data = figure_data.noisy().isel(training=[0])
    axes = ms.plotting.accuracy_over_noise(data).axes[0]
    thin, thick = ([segment[:, 1] for segment in each.get_segments()] for each in axes.collections)
    values = 100 * data.accuracy.isel(training=0).values
    np.testing.assert_allclose(thin, np.percentile(values, [5, 95], axis=1).T)
    t = 2.093024054408263  # Student's, 19 degrees of freedom, 97.5 %
    half = t * values.std(axis=1, ddof=1) / np.sqrt(20)
    np.testing.assert_allclose(thick, np.stack([values.mean(1) - half, values.mean(1) + half], 1), atol=1e-9)


def test_the_line_of_equal_accuracy_lies_where_the_map_crosses_it():
    data = figure_data.bits().sel(cells=["pcm_joshi2020"])
    axes = ms.plotting.accuracy_over_bits(data, margin=5.0).axes[0]
    grid = 100 * data.accuracy.isel(cells=0).mean("chip").values
    path = axes.collections[-1].get_paths()[0].vertices
    for x, y in path:  # linear between neighbours along one of the axes
        low, high = (grid[int(np.floor(y)), int(np.floor(x))], grid[int(np.ceil(y)), int(np.ceil(x))])
        share = (x % 1) or (y % 1)
        assert low + share * (high - low) == pytest.approx(grid[-1, -1] - 5.0, abs=1e-6)


def test_no_design_on_the_front_is_beaten_in_both():
    data = figure_data.machines()
    data["accuracy"] = data.accuracy - 0.2 * (data.machine == "digital")
    front = ms.plotting.pareto(data).axes[0].lines[0]
    assert len(front.get_xdata()) == 2 and max(front.get_xdata()) < 1e-7
    inset = ms.plotting.pareto(data, crossover=figure_data.crossing()).axes[0].child_axes[0]
    assert [line.get_color() for line in inset.lines] == ["#000000", "#0072B2", "#0072B2"]


def test_a_violin_and_a_curve_tell_the_same_chips():
    data = figure_data.many_chips()
    violins, curves = drawn("chip_to_chip").axes
    medians = [line.get_ydata()[0] for line in violins.lines]
    np.testing.assert_allclose(medians, 100 * data.accuracy.median("chip"))
    for line, training in zip(curves.lines, data.training.values, strict=True):
        share = [100 * float((100 * data.accuracy.sel(training=training) >= x).mean()) for x in line.get_xdata()]
        np.testing.assert_allclose(line.get_ydata(), share)


def test_a_colour_bar_stands_by_what_it_tells_and_says_its_unit():
    for name, count in (("confusion", 2), ("ir_drop", 1), ("mvm_scatter", 1), ("accuracy_over_bits", 1)):
        bars = [axes for axes in drawn(name).axes if axes.get_label() == "<colorbar>"]
        assert len(bars) == count
        assert all(re.search(r"\(.*\)|in a bin", axes.get_ylabel() + axes.get_xlabel()) for axes in bars)


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("accuracy_over_time", {"lines": "corection"}, "correction"),
        ("accuracy_over_time", {"lines": "correction", "panels": ()}, "`panels` must name process"),
        ("accuracy_over_time", {"lines": None, "panels": ("a", "b", "c")}, "`panels`"),
        ("accuracy_over_noise", {"along": "noize"}, "without noize"),
        ("chip_to_chip", {"lines": "seed"}, "training"),
        ("staircase", {"journal": "natur"}, "nature"),
    ],
)
def test_an_option_that_cannot_be_is_named(name, options, says, unchecked):
    with pytest.raises(ValueError, match=re.escape(says)):
        drawn(name, **({"journal": "nature"} | options))


@pytest.mark.parametrize("name", CALLS)
def test_another_data_set_is_refused_by_what_it_lacks(name, unchecked):
    with pytest.raises(ValueError, match=r"`result` must be a data set of .*, without"):
        CALLS[name][0](figure_data.xr.Dataset())


def test_a_caption_speaks_of_no_bars_and_dashes_that_are_not_there():
    data = figure_data.ageing().isel(seed=[0], chip=[0], process=0)
    said = ms.plotting.accuracy_over_time(data).get_label()
    assert "without spread" in said and "interval" not in said and "dashed" in said
    said = ms.plotting.accuracy_over_time(data.where(data.measured, drop=True)).get_label()
    assert "dashed" not in said


@pytest.mark.parametrize(
    ("name", "dim"),
    [
        ("attribution", "layer"),
        ("conductance_drift", "device"),
        ("confusion", "chip"),
        ("distributions", "layer"),
        ("energy_breakdown", "component"),
        ("hysteresis", "model"),
        ("ir_drop", "training"),
        ("mvm_scatter", "case"),
        ("programming_error", "device"),
        ("raster", "version"),
        ("staircase", "device"),
    ],
)
def test_one_that_was_chosen_without_its_dimension_is_asked_for_with_it(name, dim):
    function, make, given = CALLS[name]
    with pytest.raises(ValueError, match=rf"over {dim}, too.* `isel\({dim}=\[0\]\)`"):
        function(make().isel({dim: 0}), **given)
    with pytest.raises(ValueError, match=f"something along {dim}. Got nothing"):
        function(make().isel({dim: []}), **given)
    assert function(make().isel({dim: [0]}), **given).axes


@pytest.mark.parametrize(
    ("name", "variable"),
    [("accuracy_over_bits", "accuracy"), ("mvm_scatter", "rms"), ("pareto", "joules"), ("raster", "rate")],
)
def test_what_is_nan_throughout_is_not_drawn(name, variable):
    function, make, given = CALLS[name]
    with pytest.raises(ValueError, match=f"numbers as {variable}. Got NaN only"):
        function(make().assign({variable: lambda data: np.nan * data[variable]}), **given)


def test_a_map_of_one_resolution_of_the_adc_is_drawn_without_a_line():
    axes = ms.plotting.accuracy_over_bits(figure_data.bits().isel(adc_bits=[-1])).axes[0]
    assert len(axes.get_yticks()) == 1 and len(axes.collections) == 0


def test_drift_of_other_percentiles_is_refused():
    with pytest.raises(ValueError, match=r"percentiles 5, 50 and 95\. Got \[50"):
        ms.plotting.conductance_drift(figure_data.cells().sel(percentile=[50]))


def test_cells_that_do_not_move_are_not_drawn_as_drift():
    still = figure_data.cells().assign(exponent=lambda data: 0 * data.exponent)
    with pytest.raises(ValueError, match="a cell that moves"):
        ms.plotting.conductance_drift(still)


def test_a_device_is_called_by_technology_and_paper():
    found = {name: ms.plotting.readable(name) for name in (*dm.DEVICES, *dm.pulsed.PULSED, *dm.memristors.MEMRISTORS)}
    assert found["pcm_joshi2020"] == "PCM (Joshi 2020)" and found["vteam_kvatinsky2015"] == "VTEAM (Kvatinsky 2015)"
    assert found["cmo_hfox_falcone2025"] == "CMO/HfOx (Falcone 2025)" and found["data_driven2021"] == "Data-driven 2021"
    assert len(set(found.values())) == len(found) and not any("_" in each for each in found.values())
    for name in (".layers[0]", "one factor a tile", "hidden_to_output", "ADC"):
        assert ms.plotting.readable(name) == name
