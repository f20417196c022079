#!/usr/bin/env bash
# Finding: readers of event recordings return events that are not in the file, or none, and report no error.
# (a) evlib 0.13.2, its own HDF5: save_events_to_hdf5 stores times and polarity as they are given, load_events takes the
#     times for whole microseconds and any polarity but 0 for ON. So seconds (its text format's unit) become 0 us, and
#     the -1 / 1 that load_events itself returns comes back as all 1. Its text format keeps both.
# (b) evlib 0.13.2, text: the polarity column is the file's 0 / 1, not the -1 / 1 that the documentation promises for
#     every format; binary formats do give -1 / 1.
# (c) EVT 2.1 as written (and read back) by evutils 0.3.18: evlib gives 0 events; faery 0.7.1 raises: unknown version
#     "EVT21" (supports "evt2", "evt2.1", and "evt3").
# Seen on 2026-11-28. Python 3.11 or 3.12. Exit 0: as found. Else: changed, or not installed.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
"${PYTHON:-python3}" -m venv venv
install="venv/bin/pip install --quiet --no-compile --disable-pip-version-check"
$install numpy==2.4.6 evlib==0.13.2 evutils==0.3.18 faery==0.7.1
venv/bin/python - <<'PY'
import shutil, warnings

warnings.simplefilter("ignore")
import evlib, faery
import numpy as np
from evutils import Event_dtype
from evutils.io import EventReader, EventWriter


def loaded(path):
    frame = evlib.load_events(path).collect()
    return frame["t"].dt.total_microseconds().to_list(), frame["polarity"].to_list()


places, seconds, polarity = np.arange(4), np.arange(4) * 0.5, np.array([1, -1, 1, -1])
evlib.save_events_to_hdf5(places, places, seconds, polarity, "a.h5")
evlib.save_events_to_text(places, places, seconds, polarity, "a.txt")
with open("b.txt", "w") as file:
    file.write("0.000001 10 20 1\n0.000002 11 21 0\n")
hdf5, text, zeros = loaded("a.h5"), loaded("a.txt"), loaded("b.txt")
print("(a) seconds", seconds.tolist(), "polarity", polarity.tolist(), "through HDF5:", *hdf5, " through text:", *text)
print("(b) a text file with polarity 1, 0 is read as", zeros[1])

times = np.arange(0, 2_000_000, 1000, dtype=np.int64)
events = np.zeros(len(times), Event_dtype)
events["t"], events["x"], events["y"] = times, np.arange(2000) % 640, np.arange(2000) % 480
events["p"] = np.arange(2000) % 2
writer = EventWriter("a.evt21", width=640, height=480)
writer.write(events)
writer.close()
back = EventReader("a.evt21", mode="all").read()
own = all(np.array_equal(back[name], events[name]) for name in "txyp")
shutil.copy("a.evt21", "evt21.raw")  # the ending that all readers know
none = len(evlib.load_events("evt21.raw").collect())
try:
    faery_says = faery.events_stream_from_file("evt21.raw").to_array()
except RuntimeError as error:
    faery_says = str(error)
print(f"(c) EVT 2.1: evutils right: {own}; evlib: {none} events; faery: {faery_says}")
as_found = (
    hdf5 == ([0, 0, 1, 1], [1, 1, 1, 1])
    and text == ([0, 500_000, 1_000_000, 1_500_000], [1, -1, 1, -1])
    and zeros[1] == [1, 0]
    and own
    and none == 0
    and 'unknown version "EVT21"' in str(faery_says)
)
if not as_found:
    raise SystemExit("CHANGED")
print("AS FOUND")
PY
