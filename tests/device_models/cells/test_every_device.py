"""What every device promises, and that every device stands in the table."""

import functools
import inspect

import numpy as np
import pytest

import device_models as dm
from device_models._promises import DEVICE_PROMISES, Probed, ask
from helpers import DEVICES, EVERY_DEVICE, QUICK_DEVICES

every_device = pytest.mark.parametrize("name", EVERY_DEVICE)
EAGER = {"pcm_joshi2020": (), "cmo_hfox_falcone2025": pytest.mark.slow}  # one without loops, and one with


def cases():
    """Every device with every promise; eager cells take minutes, and sources are nobody's of numbers of one's own."""
    for name in DEVICES:
        slow = () if name in QUICK_DEVICES else pytest.mark.slow
        for promise in DEVICE_PROMISES:
            if promise == "compiled" and name in EAGER:
                yield pytest.param(name, promise, marks=EAGER[name])
            elif promise != "compiled" and not (promise == "sources" and name.startswith("gaussian")):
                yield pytest.param(name, promise, marks=slow)


@functools.cache
def probed(name):
    """What the promises of one device have in common is computed once."""
    return Probed(DEVICES[name])


@pytest.mark.parametrize("name, promise", list(cases()))
def test_every_device_keeps_every_promise(name, promise):
    finding = ask(promise, DEVICE_PROMISES[promise], probed(name))
    assert finding.kept is not False, str(finding)
    assert promise != "measured" or (finding.kept is None) == (name in ("stuck_cells", "cell_pair")), str(finding)


def test_every_device_of_the_package_stands_in_the_table():
    """A new device is to be added to `DEVICES` of tests/support/helpers.py, a published set also to the catalogue."""
    kinds = {type(part) for device in DEVICES.values() for part in nested(device)}
    classes = {c for _, c in inspect.getmembers(dm, inspect.isclass) if issubclass(c, dm.AbstractDevice)}
    missing = {c.__name__ for c in classes if not inspect.isabstract(c)} - {kind.__name__ for kind in kinds}
    assert not missing
    made = {entry.make.__name__ for entry in dm.DEVICES.values()}
    sets = {
        name
        for name, f in inspect.getmembers(dm, inspect.isfunction)
        if inspect.signature(f).return_annotation in (dm.Gaussian, dm.PCM, dm.AbstractDevice)
    }
    assert sets - {"pcm_with_drift"} <= made  # that one takes numbers of your own


def nested(device):
    """A device and those it wraps."""
    yield device
    for part in vars(device).values():
        if isinstance(part, dm.AbstractDevice):
            yield from nested(part)


@every_device
def test_a_device_cites_its_papers(name):
    device, entries = DEVICES[name], dm.citation(DEVICES[name])
    assert entries.count("@") == len(entries.splitlines()) and all(line.endswith("}}") for line in entries.splitlines())
    own = name.startswith(("ideal", "gaussian"))
    assert bool(device.sources) == (not own)
    assert bool(entries) == (not own and name != "mtj_generic")  # which is of no paper, and says so


@pytest.mark.parametrize("name", dm.DEVICES)
def test_every_number_of_the_catalogue_has_a_unit_and_a_paper(name):
    entry = dm.device(name)
    assert isinstance(entry.make(), dm.AbstractDevice)
    assert entry.numbers or name == "ideal"
    for number in entry.numbers.values():
        assert isinstance(number, dm.Sourced) and np.isfinite(number.value).all()
        assert set(number.unit.split(", ")) <= {"S", "s", "1", "nA", "1/nA", "day", "ohm"}
        paper = number.where.split(",")[0].split(";")[0]
        assumed = paper.startswith("assumed")
        assert assumed or f"{{{paper}," in dm.citation(entry.make()), "a place begins with the key of its paper"
