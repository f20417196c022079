#!/usr/bin/env bash
# Finding: expelliarmus 1.1.12 (the reader behind several data-set loaders) reads the times of a valid Prophesee EVT 3.0
# file about twice too long: it adds 4096 us each time the 12 low bits of the time wrap, although the word with the high
# bits that follows the wrap says so already. evt3 0.4.1, evlib 0.13.2 and faery 0.7.1 read the times that were written.
# Seen on 2026-11-28: 9999 events, one each 1000 us, last at 9_999_000 us. evt3, faery (and evlib): 9999000;
# expelliarmus: 19997336; the first wrong one is the event at 5000 us, read as 9096 us. Whether high words are sent once
# or repeated makes no difference.
# Python 3.11 or 3.12. Exit 0: as found. Else: changed, or not installed.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
"${PYTHON:-python3}" -m venv venv
install="venv/bin/pip install --quiet --no-compile --disable-pip-version-check"
$install numpy==2.4.6 expelliarmus==1.1.12 evt3==0.4.1 faery==0.7.1
venv/bin/python - <<'PY'
import evt3, expelliarmus, faery
import numpy as np


def words(times, x=3, y=5, repeat=False):
    """EVT 3.0: 0x8 high 12 bits of time, 0x6 low 12 bits, 0x0 row, 0x2 column and polarity."""
    high = None
    for t in map(int, times):
        if repeat or t >> 12 != high:
            high = t >> 12
            yield 0x8000 | high & 0xFFF
        yield from (0x6000 | t & 0xFFF, y, 0x2800 | x)


times = np.arange(1000, 10_000_000, 1000)
read = {}
for repeat in (False, True):
    with open("a.raw", "wb") as file:
        file.write(b"% evt 3.0\n% format EVT3;width=640;height=480\n% geometry 640x480\n% end\n")
        file.write(np.array(list(words(times, repeat=repeat)), "<u2").tobytes())
    read = {
        "evt3 0.4.1": evt3.decode_file("a.raw").t,
        "faery 0.7.1": faery.events_stream_from_file("a.raw").to_array()["t"],
        "expelliarmus 1.1.12": expelliarmus.Wizard(encoding="evt3").read("a.raw")["t"],
    }
    for name, found in read.items():
        wrong = np.flatnonzero(found != times)
        first = f", first wrong: {times[wrong[0]]} us read as {found[wrong[0]]}" if len(wrong) else ""
        print(f"high words repeated {repeat}: {name}: last event {found[-1]} us of {times[-1]}{first}")
    right = all(np.array_equal(read[n], times) for n in read if not n.startswith("expell"))
    doubled = read["expelliarmus 1.1.12"][-1] == 19_997_336
    if not (right and doubled):
        raise SystemExit("CHANGED: expected all but expelliarmus right, and 19997336 from expelliarmus")
print("AS FOUND: expelliarmus reads an EVT 3.0 recording of 10 s as one of 20 s; the other readers agree on 10 s.")
PY
