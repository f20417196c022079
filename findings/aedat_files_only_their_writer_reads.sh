#!/usr/bin/env bash
# Finding: two AEDAT paths of current packages that do not meet anyone.
# (a) evutils 0.3.18 writes .aedat4 files that it reads back itself, but that aedat 2.3.0, faery 0.7.1 and the vendor's
#     own dv-processing 2.0.4 refuse (the description tree in the header has another root). Files of faery and
#     dv-processing are read by all four.
# (b) tonic 1.7.0 cannot read any AEDAT 3.1 file, the format in which DVS-Gesture was published: read_dvs_ibm raises
#     ValueError (too many values to unpack), since the function that reads the header returns one value more.
# Seen on 2026-11-28. Python 3.11 or 3.12. Exit 0: as found. Else: changed, or not installed.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
"${PYTHON:-python3}" -m venv venv
install="venv/bin/pip install --quiet --no-compile --disable-pip-version-check"
$install numpy==2.4.6 evutils==0.3.18 lz4==4.4.5 zstandard==0.25.0 aedat==2.3.0 \
    faery==0.7.1 dv-processing==2.0.4 scipy==1.17.1 h5py==3.16.0 tqdm==4.70.1 requests==2.34.2 typing_extensions==4.16.0
# tonic without its other dependencies, which are not used here.
$install --no-deps tonic==1.7.0 pbr==7.1.3 importRosbag==1.0.4
venv/bin/python - <<'PY'
import struct, warnings

warnings.simplefilter("ignore")
import aedat, dv_processing, faery
import numpy as np
import tonic.io
from evutils import Event_dtype
from evutils.io import EventReader, EventWriter

times = np.arange(100) * 1000 + 5_000_000
events = np.zeros(100, Event_dtype)
events["t"], events["x"], events["y"], events["p"] = times, 3, 5, 1
writer = EventWriter("evutils.aedat4", width=640, height=480)
writer.write(events)
writer.close()
theirs = np.zeros(100, faery.EVENTS_DTYPE)
theirs["t"], theirs["x"], theirs["y"], theirs["on"] = times, 3, 5, True
faery.events_stream_from_array(theirs, (640, 480)).to_file("faery.aedat4", zero_t0=False)


def by_dv(path):
    recording, found = dv_processing.io.MonoCameraRecording(path), 0
    while recording.isRunning():
        batch = recording.getNextEventBatch()
        found += 0 if batch is None else batch.size()
    return found


readers = {
    "evutils": lambda path: len(EventReader(path, mode="all").read()),
    "aedat": lambda path: sum(len(packet["events"]) for packet in aedat.Decoder(path)),
    "faery": lambda path: len(faery.events_stream_from_file(path).to_array()),
    "dv-processing": by_dv,
}
found = {}
for path in ("faery.aedat4", "evutils.aedat4"):
    for name, read in readers.items():
        try:
            found[path, name] = read(path)
        except RuntimeError as error:
            found[path, name] = f"RuntimeError: {str(error)[:60]}"
        print(f"(a) {path} read by {name}: {found[path, name]}")

packet = struct.pack("<hhiiiiii", 1, 0, 8, 4, 0, 1, 1, 1) + struct.pack("<II", 10 << 17 | 20 << 2 | 1 << 1 | 1, 5_000_000)
with open("a.aedat", "wb") as file:
    file.write(b"#!AER-DAT3.1\r\n#Format: RAW\r\n#Source 1: DVS128\r\n#Start-Time: 2015-09-03 15:59:22 (TZ+0200)\r\n")
    file.write(b"#!END-HEADER\r\n" + packet)
try:
    tonic_says = tonic.io.read_dvs_ibm("a.aedat")
except ValueError as error:
    tonic_says = f"ValueError: {error}"
print("(b) tonic.io.read_dvs_ibm:", tonic_says)
as_found = (
    all(found["faery.aedat4", name] == 100 for name in readers)
    and found["evutils.aedat4", "evutils"] == 100
    and all(isinstance(found["evutils.aedat4", name], str) for name in ("aedat", "faery", "dv-processing"))
    and str(tonic_says).startswith("ValueError: too many values")
)
if not as_found:
    raise SystemExit("CHANGED")
print("AS FOUND")
PY
