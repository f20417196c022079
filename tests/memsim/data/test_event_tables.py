"""Events in NumPy's files and in text: columns are found by their names, and what is not clear is refused."""

import numpy as np
import pytest

from memsim.data import event_array, read_events, write_events


def rows(path):
    return read_events(path).tolist()


def test_structured_npy_arrays_are_read_and_others_refused_with_a_remedy(tmp_path):
    theirs = np.zeros(2, [("x", "i2"), ("y", "i2"), ("p", "?"), ("t", "u8")])
    theirs["t"], theirs["x"] = [9, 4], [1, 2]
    np.save(tmp_path / "a.npy", theirs)
    assert rows(tmp_path / "a.npy") == [(4, 2, 0, 0), (9, 1, 0, 0)]
    seconds = theirs.astype([("x", "i2"), ("y", "i2"), ("p", "?"), ("t", "f8")])
    for wrong in (np.zeros((5, 4)), seconds, np.zeros(3), theirs.reshape(1, 2), theirs[["x", "y"]]):
        np.save(tmp_path / "b.npy", wrong)
        with pytest.raises(ValueError, match=r"fields that name the columns.*build `event_array\(t, x, y, p\)`"):
            read_events(tmp_path / "b.npy")
    np.save(tmp_path / "c.npy", np.array([{}]), allow_pickle=True)
    with pytest.raises(ValueError, match=r"c\.npy must be a whole"):
        read_events(tmp_path / "c.npy")


@pytest.mark.parametrize(
    "text",
    [
        "t,x,y,p\n4,2,0,1\n9,1,5,0\n",
        "x,y,polarity,timestamp\r\n1,5,0,9\r\n2,0,1,4\r\n",
        "\ufeffT, x ,y,p\n9,1,5,0\n4,2,0,1",
    ],
)
def test_csv_columns_are_found_by_their_names(tmp_path, text):
    (tmp_path / "a.csv").write_bytes(text.encode())
    assert rows(tmp_path / "a.csv") == [(4, 2, 0, 1), (9, 1, 5, 0)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "first line must name each column"),
        ("1,2,3,1\n", "Got '1,2,3,1'"),
        ("t,x,y,t\n1,2,3,1\n", "each column once"),
        ("t,timestamp,x\n1,2,3\n", "each column once"),
        ("t,x,y,p,cluster\n1,2,3,1,7\n", "each column once"),
        ("y,x,p\n1,2,3\n", "each column once"),
        ("t;x;y;p\n1;2;3;1\n", "not separated by commas"),
        ("t,x,y,p\n1,2,3,1\n1,2,3\n", "whole numbers between commas"),
        ("t,x,y,p\n1,2,3\n", "the 4 columns of its header. Got 3"),
        ("t,x,y,p\n0.5,2,3,1\n", "t in microseconds.*0.5"),
        ("t,x,y,p\n1,2,3,\n", "whole numbers between commas"),
        ("t,x,y,p\n1,2,3,2\n", "`p` must be 1"),
        ("t,x\n-1,2\n", "from 0 to"),
    ],
)
def test_csv_that_is_not_clear_is_refused(tmp_path, text, message):
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(ValueError, match=f"(?s){message}"):
        read_events(tmp_path / "a.csv")


@pytest.mark.parametrize("text", ["t,x\n1,70000\n", "t,x\n1.5,2\n", "t,x,p\n1,2,7\n", "x\n1\n", "t,x,y\n1,2\n"])
def test_a_csv_with_wrong_numbers_is_not_to_be_copied_again(tmp_path, text):
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(ValueError) as error:
        read_events(tmp_path / "a.csv")
    said = str(error.value)
    assert ".." not in said and "download" not in said and said.endswith(".")


def test_a_csv_without_lines_is_an_empty_recording(tmp_path):
    write_events(tmp_path / "a.csv", event_array([], []), size=(10, 10))
    assert (tmp_path / "a.csv").read_text() == "t,x,y,p\n" and len(read_events(tmp_path / "a.csv")) == 0
