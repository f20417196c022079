"""Events are checked, counted in steps, and come back from their counts."""

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from jaxtyping import TypeCheckError

import memsim as ms
from memsim.data import Binning, as_events, crop, downsample, event_array, from_frames, to_frames
from memsim.data._form import Form, hold_out

SIZE = (34, 28)  # not square: swapped axes show
REFUSED = (ValueError, TypeCheckError)  # where annotations are checked, jaxtyping refuses wrong shapes first


def random_events(number, *, size=SIZE):
    draw = np.random.default_rng(0)
    t = np.sort(draw.integers(0, 1_000_000, number))
    x, y = draw.integers(0, size[0], number), draw.integers(0, size[1], number)
    return event_array(t, x, y, draw.integers(0, 2, number))


def naive_frames(events, size, dt, steps):
    frames = np.zeros((steps, 2, size[1], size[0]), np.float32)
    for t, x, y, p in events.tolist():
        if t < round(dt * steps * 1e6):
            frames[int(t // round(dt * 1e6)), p, y, x] += 1
    return frames


def test_whole_microseconds_come_out_of_seconds_and_milliseconds():
    x = np.zeros(3, np.uint16)
    seconds = event_array(np.array([0, 0.25, 1.0], np.float16), x, tick=1.0)
    milliseconds = event_array(np.array([0, 250, 1000]), x, tick=1e-3)
    assert seconds["t"].tolist() == milliseconds["t"].tolist() == [0, 250_000, 1_000_000]
    assert seconds.dtype == ms.data.EVENT and seconds["p"].tolist() == [1, 1, 1]


def test_float_times_without_a_unit_are_refused():
    with pytest.raises(ValueError, match=r"must be integer microseconds, or come with `tick`.*float16"):
        event_array(np.array([0.1], np.float16), np.array([3]))


@pytest.mark.parametrize("dtype", ["i8", "u4", "f8", "i2"])
def test_structured_arrays_of_other_tools_are_accepted(dtype):
    theirs = np.zeros(2, [("x", dtype), ("y", dtype), ("t", "u8"), ("p", "?")])
    theirs["x"], theirs["y"], theirs["t"], theirs["p"] = [3, 4], [5, 6], [7, 8], [True, False]
    assert as_events(theirs).tolist() == [(7, 3, 5, 1), (8, 4, 6, 0)]


def test_minus_one_is_read_as_darker():
    assert event_array(np.array([0, 1]), np.array([0, 0]), p=np.array([-1, 1]))["p"].tolist() == [0, 1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"t": np.array([2, 1])}, r"in order\. Got 1 after 2 at event 1"),
        ({"t": np.array([-1, 1])}, "from 0 to"),
        ({"t": np.array([0.0, np.nan]), "tick": 1.0}, "finite"),
        ({"t": np.array([0, 1]), "tick": 0.0}, "`tick` must be positive"),
        ({"t": np.array([0, 1, 2])}, "one entry for each event|events=3"),
        ({"x": np.array([0, 34])}, r"`x` must hold whole numbers from 0 to 33\. Got 0 to 34"),
        ({"y": np.array([0, 28])}, "`y` must hold whole numbers from 0 to 27"),
        ({"x": np.array([0.0, 0.5])}, "whole numbers"),
        ({"x": np.array([0.0, np.nan])}, "whole numbers"),
        ({"p": np.array([0, 2])}, "`p` must be 1"),
        ({"p": np.array([-1, 0])}, "`p` must be 1"),
        ({"size": (34, 28, 2)}, r"\(width, height\)"),
    ],
)
def test_impossible_events_are_refused_with_a_reason(change, message):
    zeros = np.zeros(2, np.int64)
    good = {"t": np.array([0, 1]), "x": zeros, "y": zeros, "p": zeros, "size": SIZE}
    event_array(**good)
    with pytest.raises(REFUSED, match=message):
        event_array(**{**good, **change})


def test_arrays_without_fields_are_refused():
    with pytest.raises(ValueError, match=r"fields t and x.*Got int64"):
        as_events(np.arange(3))


def test_cropped_events_count_their_time_from_the_cut():
    events = event_array(np.array([0, 999, 1000, 1999, 2000]), np.arange(5))
    assert crop(events, 1e-3, 2e-3).tolist() == [(0, 2, 0, 1), (999, 3, 0, 1)]
    assert events["t"].tolist() == [0, 999, 1000, 1999, 2000]
    with pytest.raises(ValueError, match="0 <= start < stop"):
        crop(events, 2e-3, 1e-3)


def test_a_crop_without_an_end_takes_all_events_from_its_start(unchecked):
    t = [1, 20_000_000, 40_000_000, 2**63 - 1]
    events = event_array(t, [1, 2, 3, 4])
    for stop in (np.inf, 9.3e12, 1e300, np.float32(np.inf), 2.0**63):
        assert crop(events, 0.5, stop)["t"].tolist() == [s - 500_000 for s in t[1:]]
    assert len(crop(events, 9.3e12, np.inf)) == 0
    assert crop(events, 0.0, 9e12)["t"].tolist() == t[:3]


@pytest.mark.parametrize(
    ("start", "stop"), [(0.5, np.nan), (np.nan, 1.0), (np.inf, np.inf), ("0", 1.0), (0.0, None), (-1.0, 1.0)]
)
def test_a_crop_between_no_times_names_the_argument(unchecked, start, stop):
    with pytest.raises(ValueError, match=r"`start`|`stop`"):
        crop(random_events(3), start, stop)


def test_lists_are_arrays():
    events = event_array([1, 2], [3, 4], [5, 6], [0, 1])
    assert events.tolist() == [(1, 3, 5, 0), (2, 4, 6, 1)]
    assert event_array([0.5, 1.0], [0, 0], tick=1.0)["t"].tolist() == [500_000, 1_000_000]
    assert len(event_array([], [])) == 0
    assert from_frames([[0, 1], [2, 0]], 0.1, polarity="merged")["x"].tolist() == [1, 0, 0]


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda e: event_array("12", [1]), "t"),
        (lambda e: event_array([1, [2]], [1, 2]), "t"),
        (lambda e: event_array([1], [1 + 2j]), "x"),
        (lambda e: event_array([1], [None]), "x"),
        (lambda e: event_array([1], [1], tick="1 s"), "tick"),
        (lambda e: event_array([1], [1], size=34), "size"),
        (lambda e: event_array([1], [1], size=(34.5, 3)), "size"),
        (lambda e: downsample(e, SIZE, [17, 7]), "to"),
        (lambda e: downsample(e, "ab", (1, 1)), "size"),
        (lambda e: to_frames(e, None, Binning(0.1, 3)), "size"),
        (lambda e: to_frames(e, SIZE, 0.1), "binning"),
        (lambda e: to_frames(e, SIZE, Binning(0.1, 3), polarity="both"), "polarity"),
        (lambda e: from_frames(np.full((2, 3), np.inf), 0.1, polarity="merged"), "frames"),
        (lambda e: from_frames(np.zeros((2, 3)), 0.1, polarity="none"), "polarity"),
        (lambda e: from_frames(np.zeros((2, 3)), "0.1", polarity="merged"), "dt"),
        (lambda e: Binning(14, 100), "dt"),
        (lambda e: Binning(1e300, 100), "dt"),
        (lambda e: Binning(np.nan, 100), "dt"),
        (lambda e: Binning(0.1, 2.5), "steps"),
        (lambda e: Binning(0.1, 3, late="keep"), "late"),
        (lambda e: Binning(0.1, 3, binary=2), "binary"),
        (lambda e: hold_out(np.zeros(4, int), "half"), "validation"),
    ],
)
def test_an_argument_that_cannot_be_is_named(unchecked, call, name):
    with pytest.raises(ValueError, match=f"`{name}` must"):
        call(random_events(3))


def test_what_is_no_array_of_events_is_refused_with_its_type(unchecked):
    for wrong, came in (([1, 2], "list"), (None, "NoneType"), (3.0, "float")):
        with pytest.raises(ValueError, match=f"fields t and x.*Got {came}"):
            crop(wrong, 0.0, 1.0)


def test_down_sampling_700_channels_to_256_gathers_two_or_three_and_loses_none():
    every = event_array(np.zeros(700, np.int64), np.arange(700))
    gathered = np.bincount(downsample(every, (700,), (256,))["x"], minlength=256)
    assert gathered.sum() == 700 and set(gathered.tolist()) == {2, 3}


def test_down_sampling_by_a_divisor_is_a_sum_over_blocks():
    events, binning = random_events(3000), Binning(0.1, 10)
    fine = to_frames(events, SIZE, binning)
    coarse = to_frames(downsample(events, SIZE, (17, 7)), (17, 7), binning)
    assert np.array_equal(coarse, fine.reshape(10, 2, 7, 4, 17, 2).sum((3, 5)))


@pytest.mark.parametrize("to", [(35, 28), (0, 28), (34,)])
def test_finer_places_than_recorded_are_refused(to):
    with pytest.raises(ValueError, match="`to` must have the dimensions"):
        downsample(random_events(3), SIZE, to)


@pytest.mark.parametrize(("dt", "steps"), [(0.01, 100), (0.007, 50), (0.3, 5), (1e-3, 1000)])
def test_frames_agree_with_a_loop_over_the_events(dt, steps):
    events = random_events(2000)
    assert np.array_equal(to_frames(events, SIZE, Binning(dt, steps)), naive_frames(events, SIZE, dt, steps))


def test_an_event_on_a_border_belongs_to_the_later_step():
    t = np.arange(100) * 70_000  # 3 x 0.07 s is a little more than 0.21 s in binary
    frames = to_frames(event_array(t, np.zeros(100, int)), (1,), Binning(0.07, 100), polarity="merged")
    assert np.array_equal(frames, np.ones((100, 1)))


def test_polarities_are_split_subtracted_or_merged():
    events, binning = random_events(5000), Binning(0.5, 2)
    split = to_frames(events, SIZE, binning)
    assert split.shape == (2, 2, 28, 34) and split.dtype == np.float32
    assert np.array_equal(to_frames(events, SIZE, binning, polarity="signed"), split[:, 1] - split[:, 0])
    assert np.array_equal(to_frames(events, SIZE, binning, polarity="merged"), split[:, 0] + split[:, 1])
    binary = Binning(0.5, 2, binary=True)
    assert np.array_equal(to_frames(events, SIZE, binary, polarity="signed"), np.sign(split[:, 1] - split[:, 0]))
    assert np.array_equal(to_frames(events, SIZE, binary), split > 0) and split.max() > 1


@pytest.mark.parametrize("polarity", ["split", "signed"])
def test_frames_know_both_polarities_by_truth_values_numbers_and_signs(polarity):
    events, binning = random_events(2000), Binning(0.5, 2)
    brighter = np.asarray(events["p"]) == 1
    expected = to_frames(events, SIZE, binning, polarity=polarity)
    for kind in (brighter, brighter.astype(np.int64), np.where(brighter, 1, -1)):
        found = to_frames(event_array(events["t"], events["x"], events["y"], kind), SIZE, binning, polarity=polarity)
        assert np.array_equal(found, expected)


def test_late_events_are_dropped_gathered_or_refused():
    events = event_array(np.array([0, 1999, 2000, 9000]), np.zeros(4, int))

    def counts(late):
        return to_frames(events, (1,), Binning(1e-3, 2, late=late), polarity="merged")[:, 0].tolist()

    assert counts("drop") == [1, 1] and counts("last") == [1, 3]
    with pytest.raises(ValueError, match=r"before 0\.002 s\. Got 2 of 4 later, until 0\.009"):
        counts("refuse")


def test_no_events_make_empty_frames():
    assert not to_frames(random_events(0), SIZE, Binning(0.1, 3)).any()


@pytest.mark.parametrize("settings", [(0.0, 3), (1e-7, 3), (np.inf, 3), (0.1, 0)])
def test_steps_that_cannot_be_are_refused(settings):
    with pytest.raises(ValueError, match="`dt` must be at least 1e-6"):
        Binning(*settings)


@pytest.mark.parametrize("polarity", ["split", "signed", "merged"])
@pytest.mark.parametrize("size", [SIZE, (50,)])
def test_frames_come_back_from_their_events(polarity, size):
    shape = (20, *((2,) if polarity == "split" else ()), *reversed(size))
    lowest = -2 if polarity == "signed" else 0
    frames = np.random.default_rng(1).integers(lowest, 4, shape).astype(np.float32)
    events = from_frames(frames, 0.007, polarity=polarity)
    assert len(events) == np.abs(frames).sum()
    assert np.array_equal(to_frames(events, size, Binning(0.007, 20), polarity=polarity), frames)


@pytest.mark.parametrize("frames", [np.full((2, 2, 3), 0.5), np.full((2, 2, 3), -1.0), np.ones((2, 3, 3)), np.ones(4)])
def test_frames_that_are_no_counts_are_refused(frames):
    with pytest.raises(ValueError, match="`frames` must"):
        from_frames(frames, 0.1)


def test_a_million_events_are_binned_in_well_under_a_second():
    events = random_events(1_000_000, size=(128, 128))
    start = time.process_time()
    assert to_frames(events, (128, 128), Binning(0.01, 100)).sum() == 1_000_000
    # 0.1 s were measured, and 1.3 s for a loop over the events.
    assert time.process_time() - start < 1


def test_the_held_out_part_is_a_fraction_of_each_class_and_always_the_same():
    labels = np.random.default_rng(0).permutation(np.repeat([0, 1, 2, 3], [100, 30, 2, 1]))
    kept, held = hold_out(labels, 0.1)
    assert np.bincount(labels[held], minlength=4).tolist() == [10, 3, 1, 0]
    assert sorted([*kept, *held]) == list(range(133))
    assert np.array_equal(held, hold_out(labels, 0.1)[1])


@pytest.mark.parametrize("fraction", [0.0, 1.0, float("nan")])
def test_a_fraction_that_leaves_a_part_empty_is_refused(fraction):
    with pytest.raises(ValueError, match="between 0 and 1"):
        hold_out(np.array([0, 0, 1, 1]), fraction)


def test_counts_above_255_are_refused_as_bytes_and_kept_as_floats():
    events = [event_array(np.zeros(256, np.int64), np.zeros(256, int))]
    form = Form("shd", (700,), (7,), Binning(0.1, 2), "merged", np.uint8)
    with pytest.raises(ValueError, match=r"at most 255 to fit uint8\. Got 256 in recording 0"):
        form.dataset(events, np.array([0]), ("one",))
    assert form._replace(dtype=np.float32).dataset(events, np.array([0]), ("one",)).inputs[0, 0, 0] == 256


def test_a_data_set_of_bytes_in_image_shape_is_flattened_without_a_copy():
    ones = np.ones(3, np.int32)
    images = np.arange(3 * 2 * 2 * 4 * 5, dtype=np.uint8).reshape(3, 2, 2, 4, 5)
    dataset = ms.data.Dataset(images, ones, ("no", "yes"))
    flat = dataset.flattened()
    assert flat.inputs.shape == (3, 2, 40) and np.shares_memory(flat.inputs, images)
    assert np.array_equal(dataset.take(np.array([2])).inputs[0], images[2])


def test_importing_memsim_loads_neither_h5py_nor_faery():
    code = "import memsim, sys; print(*[m for m in ('h5py', 'faery', 'rich') if m in sys.modules])"
    root = Path(__file__).parents[3]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=True)
    assert done.stdout.split() == []


@pytest.mark.parametrize("call", [ms.data.shd, ms.data.ssc, ms.data.nmnist, ms.data.dvs_gesture])
@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"channels": 0, "size": (0, 1)}, "channels|size"),
        ({"channels": 2.5, "size": 34}, "channels|size"),
        ({"channels": 701, "size": (500, 500)}, "channels|size"),
        ({"validation": 1.5}, "validation"),
        ({"binning": 0.1}, "binning"),
        ({"dtype": np.float64}, "dtype"),
    ],
)
def test_bad_settings_of_a_data_set_are_refused_before_it_is_looked_for(unchecked, tmp_path, call, settings, name):
    known = call.__wrapped__.__code__ if hasattr(call, "__wrapped__") else call.__code__
    arguments = known.co_varnames[: known.co_argcount + known.co_kwonlyargcount]
    chosen = {key: value for key, value in settings.items() if key in arguments}
    if not chosen:
        pytest.skip("has no such setting")
    with pytest.raises(ValueError, match=f"`({name})` must"):
        call(**chosen, folder=tmp_path)
