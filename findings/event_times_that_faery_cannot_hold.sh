#!/usr/bin/env bash
# Finding: faery 0.7.1 writes event recordings that it cannot read back, without a word.
# (a) RAW (EVT 3.0, its default): if no event falls into the last 4 ms before the 24-bit clock turns over (16.777216 s),
#     as in a recording with one event each 10 ms, faery reads every later time wrong, though it wrote the file. Of the
#     same file evt3 0.4.1 gives the times that were written and expelliarmus 1.1.12 a third answer. With a pause of
#     more than one turn (two events, 39.999 s apart) each of the three readers gives another time.
# (b) DAT: times of 2**32 us (71.6 min) and more are stored modulo 2**32: 5_000_000_000 is read as 705_032_704.
# (c) AEDAT4 and EVT 2.0 hold both. (Cameras send the high bits of the clock all the time, so (a) is a matter of written
#     files.)
# Seen on 2026-11-28: one event each 10 ms for 60 s: 4322 of 6000 times wrong, last 16777200 instead of 59990000.
# Python 3.11 or 3.12. Exit 0: as found. Else: changed, or not installed.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
"${PYTHON:-python3}" -m venv venv
install="venv/bin/pip install --quiet --no-compile --disable-pip-version-check"
$install numpy==2.4.6 faery==0.7.1 evt3==0.4.1 expelliarmus==1.1.12
venv/bin/python - <<'PY'
import warnings

import evt3, expelliarmus, faery
import numpy as np

warnings.simplefilter("ignore")


def written_and_read(times, path, **settings):
    events = np.zeros(len(times), faery.EVENTS_DTYPE)
    events["t"], events["x"], events["y"] = times, 3, 5
    faery.events_stream_from_array(events, (640, 480)).to_file(path, zero_t0=False, **settings)
    return faery.events_stream_from_file(path).to_array()["t"].astype(np.int64)


steady = np.arange(0, 60_000_000, 10_000)
own = written_and_read(steady, "steady.raw")
others = evt3.decode_file("steady.raw").t, expelliarmus.Wizard(encoding="evt3").read("steady.raw")["t"]
print(f"one event each 10 ms for 60 s, EVT 3: faery reads {(own != steady).sum()} of {len(steady)} times wrong, last "
      f"{own[-1]}; evt3: {others[0][-1]}; expelliarmus: {others[1][-1]}; written: {steady[-1]}")
pause = np.array([1000, 40_000_000])
three = (
    int(written_and_read(pause, "pause.raw")[1]),
    int(evt3.decode_file("pause.raw").t[1]),
    int(expelliarmus.Wizard(encoding="evt3").read("pause.raw")["t"][1]),
)
print("events at 1000 and 40000000 us, EVT 3: second read by faery, evt3, expelliarmus as", *three)
evt2 = written_and_read(pause, "pause2.raw", version="evt2")
late = np.array([1000, 5_000_000_000])
dat, aedat = written_and_read(late, "late.dat"), written_and_read(late, "late.aedat4")
print(f"the same in EVT 2: {evt2[1]}; event at 5000000000 us in DAT: {dat[1]}, in AEDAT4: {aedat[1]}")
as_found = (
    (own != steady).sum() == 4322
    and np.array_equal(others[0], steady)
    and not np.array_equal(others[1], steady)
    and three == (12_585_472, 6_445_568, 40_000_000)
    and evt2[1] == 40_000_000
    and dat[1] == 705_032_704
    and aedat[1] == 5_000_000_000
)
if not as_found:
    raise SystemExit("CHANGED")
print("AS FOUND: faery reads its own EVT 3 file of 60 s as one of 16.8 s, and DAT loses the 33rd bit; no error, no warning.")
PY
