"""What README and the pages beside it show, runs; pages of docs/tutorials run when the site is built."""

import re
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
import pytest

import device_models as dm
import memsim as ms

README = Path(__file__).parents[2] / "README.md"
MADE = ("bibliography.md", "findings.md", "gallery.md", "reference/")  # by the build of the site
WRITTEN = [*README.parent.glob("docs/*.md"), *README.parent.glob("docs/studies/*.md")]
PAGES = [README, *sorted(page for page in WRITTEN if page.name not in MADE)]


def test_the_example_runs_as_printed_and_fits_in_20_lines(tmp_path, monkeypatch, capsys):
    example = re.search(r"```python\n(.*?)```", README.read_text(), re.DOTALL).group(1)
    lines = [line for line in example.splitlines() if line.strip()]
    assert len(lines) <= 20
    monkeypatch.chdir(tmp_path)
    space = {}
    exec(compile(example, "README.md", "exec"), space)
    assert (tmp_path / "drift.pdf").stat().st_size > 1000
    assert space["study"].accuracy.shape == (20, 4)
    assert float(space["study"].accuracy.mean()) > 0.5  # ten classes: chance is 0.1
    assert "time" in capsys.readouterr().out


def test_the_worked_example_of_a_new_device_is_a_device():
    text = (README.parent / "CONTRIBUTING.md").read_text()
    example = re.search(r"```python\n(from \.\._sourced.*?)```", text, re.DOTALL).group(1)
    example = example.replace("from ..", "from device_models.").replace("from .", "from device_models._cells.")
    space = {}
    exec(compile(example, "CONTRIBUTING.md", "exec"), space)
    device = space["oxide_example2024"]()
    assert float(1e6 * device.spread(jnp.ones(()), jnp.asarray(3600.0))) == pytest.approx(0.464, abs=5e-4)
    assert device.effects == ("write noise", "drift")


def block(starting):
    """The code of the one page that has some which starts so."""
    found = [re.search(rf"```python\n({re.escape(starting)}.*?)```", page.read_text(), re.DOTALL) for page in PAGES]
    (code,) = [each for each in found if each]
    return code.group(1)


def test_cells_of_your_own_come_from_a_file_as_printed(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    target = np.repeat([5.0, 10.0, 15.0, 20.0], 50)
    rows = zip(target, target + 0.5 * rng.normal(size=target.size), strict=True)
    lines = ["target [uS],measured [uS]", *(f"{a},{b}" for a, b in rows)]
    (tmp_path / "cells.csv").write_text("\n".join(lines))
    space = {"dm": dm, "ms": ms}
    exec(compile(block("cells = dm.fit.read_csv"), "devices.md", "exec"), space)
    assert space["crossbar"].device.write_noise(jnp.asarray([0.5])) == pytest.approx(0.5e-6, rel=0.2)
    assert "write noise" in capsys.readouterr().out.lower().replace("_", " ")


def test_cells_learn_in_the_array_and_noise_goes_on_as_printed():
    net = ms.nn.Linear(3, 2, key=jr.key(0))
    space = {"dm": dm, "ms": ms, "optax": optax, "key": jr.key(1), "net": eqx.filter(net, eqx.is_inexact_array)}
    space |= {"xs": jnp.ones((4, 3)), "labels": jnp.zeros((4, 2))}
    space["loss_of"] = lambda net, xs, labels: jnp.mean((xs @ net.weight.T - labels) ** 2)
    exec(compile(block("noise = ms.Correlated"), "README.md", "exec"), space)
    exec(compile(block("optimizer = ms.insitu"), "README.md", "exec"), space)
    assert isinstance(space["gradient"].weight, ms.insitu.OuterProduct) and isinstance(space["net"], ms.nn.Linear)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_that_it_points_to_is_there(page):
    places = re.findall(r"\]\((?!https?:|#)([^)#]+)\)", re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL))
    places = [place for place in places if not place.lstrip("./").startswith(MADE)]
    assert [place for place in places if not (page.parent / place).exists()] == []


def test_the_readme_is_short():
    assert len(README.read_text().splitlines()) <= 120


def test_a_study_of_ones_own_runs_as_printed(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    whole = ms.data.fashion_mnist()
    small = ms.data.Splits(*(part.take(np.arange(80)) for part in (whole.train, whole.validation, whole.test)))
    monkeypatch.setattr(ms.data, "fashion_mnist", lambda: small)
    text = (
        block("import equinox as eqx\n\ndata = ms.data")
        .replace("epochs=10", "epochs=2")
        .replace("chips=5", "chips=2")
        .replace("[4, 8]", "[8]")
    )
    space = {"dm": dm, "ms": ms, "eqx": eqx, "jax": jax}
    exec(compile(text, "README.md", "exec"), space)
    result = space["result"]
    assert result.accuracy.dims == ("adc_bits", "training", "seed", "chip", "time") and {"f1", "right"} <= set(result)
    assert float(result.accuracy.mean()) > 0.2  # ten classes: chance is 0.1
    assert "failed" not in result.attrs and "seed" in result.attrs["shared"]
    printed = capsys.readouterr().out
    assert "| training" in printed and "±" in printed and "p_adjusted" in printed
    exec(compile(block("from matplotlib.figure import Figure\n\nms.study.save"), "own_study.md", "exec"), space)
    assert (tmp_path / "figures" / "mine.pdf").stat().st_size > 1000
    told = (tmp_path / "figures" / "mine.txt").read_text()
    assert "Counted: 2 training seeds, 2 chips, 80 test recordings" in told and "cells measured over time 0 to" in told
    assert [axes.texts[0].get_text() for axes in space["figure"].axes] == ["a", "b"]
