"""Exercises before a smartwatch: people held out, a file that is proved before it is opened."""

import hashlib
import pickle

import numpy as np
import pytest

import memsim as ms
import memsim.data._spar as reader


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A file in the publisher's form, of ten people and constant signals: the number of the person."""
    people = np.repeat(np.arange(1, 11), 7)
    signals = [np.full((1000, 6), float(person)) + np.linspace(-1, 1, 1000)[:, None] for person in people]
    held = {"X": signals, "y": np.tile(np.arange(7), 10), "subject": people}
    place = tmp_path / reader.FILE
    np.save(place, np.array(held, dtype=object), allow_pickle=True)
    monkeypatch.setattr(reader, "SHA256", hashlib.sha256(place.read_bytes()).hexdigest())
    return tmp_path


def test_nobody_is_in_two_sets_and_windows_have_one_length(folder):
    data = ms.data.spar(folder=folder)
    assert data.train.inputs.shape == (6 * 7 * 9, 100, 6)  # 20 s: windows of 4 s, every 2 s
    assert data.test.inputs.shape == (3 * 7 * 5, 100, 6)
    assert data.train.inputs.mean() == pytest.approx(0.0, abs=0.01)
    np.testing.assert_allclose(data.train.inputs.max(), -data.train.inputs.min(), rtol=1e-3)
    assert data.test.inputs.min() > data.train.inputs.max()  # people 8 to 10, far from 1 to 6


def test_samples_are_means_of_so_many(folder):
    whole, half = (ms.data.spar(folder=folder, skip=skip).test.inputs for skip in (1, 2))
    np.testing.assert_allclose(whole.reshape(len(whole), -1, 2, 6).mean(2), half, rtol=1e-5)


def test_a_pickle_that_is_not_the_known_one_is_never_opened(folder):
    class Loud:
        def __reduce__(self):
            return pytest.fail, ("it was opened",)

    (folder / reader.FILE).write_bytes(pickle.dumps(Loud()))
    with pytest.raises(ValueError, match="sha256"):
        ms.data.spar(folder=folder)


def test_people_are_held_out_once_and_some_are_left(folder, unchecked):
    for wrong in ({"test": (7,)}, {"test": (11,)}, {"test": ()}, {"validation": (1, 2, 3, 4, 5, 6, 7)}):
        with pytest.raises(ValueError, match="people of 1 to 10"):
            ms.data.spar(folder=folder, **wrong)


@pytest.mark.parametrize("given", [True, False])
def test_a_set_that_is_not_there_names_what_to_install(tmp_path, monkeypatch, given):
    monkeypatch.setattr(reader.metadata, "distribution", absent)
    with pytest.raises(FileNotFoundError, match=r"pip install --no-deps seglearn==1\.2\.5"):
        ms.data.spar(folder=tmp_path if given else None)


def absent(name):
    raise reader.metadata.PackageNotFoundError(name)


def test_the_file_of_an_installed_package_is_read_and_the_package_is_not_imported(folder, tmp_path, monkeypatch):
    (tmp_path / "seglearn/data").mkdir(parents=True)
    (folder / reader.FILE).rename(tmp_path / "seglearn/data" / reader.FILE)
    (tmp_path / "seglearn/__init__.py").write_text("raise RuntimeError('it was imported')")
    found = tmp_path / "seglearn-1.2.5.dist-info"
    found.mkdir()
    (found / "METADATA").write_text("Metadata-Version: 2.1\nName: seglearn\nVersion: 1.2.5\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert ms.data.spar().train.inputs.shape == (6 * 7 * 9, 100, 6)
