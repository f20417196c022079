#!/usr/bin/env bash
# Finding: MNE-Python 1.13.2 gives all recordings in volts, and knows two units of an EDF file, uV and mV. Whatever else a
# channel says of itself is taken for volts without a warning, though MNE keeps the file's own word for it beside: a
# sine of 100 uV comes out as
#     uV 1e-4     mV 1e-4     V 1e-4     nV 1e5
# that is 1e9 times too large in nV, a unit with a prefix of EDF+'s list. pyEDFlib 0.1.42, which wrote the file without complaint,
# and edfio 0.4.18 give the numbers of the file, in its unit. A µV written by pyEDFlib, whose header is UTF-8 there, is 100 V.
# Features, thresholds of spikes and detectors of artefacts then see another signal; filters and z-scores do not notice.
# Seen on 2026-11-30. Python 3.11 or 3.12. Exit 0: as found. Else: changed, or not installed.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install --quiet --no-compile --disable-pip-version-check mne==1.13.2 pyEDFlib==0.1.42 edfio==0.4.18 numpy==2.4.6
cat > run.py <<'PY'
import warnings

import edfio
import mne
import numpy as np
import pyedflib

RATE, VOLTS = 256, 1e-4
time = np.arange(4 * RATE) / RATE


def amplitudes(unit, per_volt):
    """Of the sine as MNE, pyEDFlib and edfio read it, the last two divided by what a volt is in the unit of the file."""
    full = 2 * VOLTS * per_volt
    header = {"label": "EEG Cz", "dimension": unit, "sample_frequency": RATE, "transducer": "", "prefilter": ""}
    header |= {"physical_min": -full, "physical_max": full, "digital_min": -32768, "digital_max": 32767}
    writer = pyedflib.EdfWriter("sine.edf", 1, file_type=pyedflib.FILETYPE_EDFPLUS)
    writer.setSignalHeader(0, header)
    writer.writeSamples([VOLTS * per_volt * np.sin(2 * np.pi * 10 * time)])
    writer.close()
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a word of MNE would end this
        raw = mne.io.read_raw_edf("sine.edf", preload=True, verbose="WARNING")
    reader = pyedflib.EdfReader("sine.edf")
    written = reader.readSignal(0) / per_volt
    reader.close()
    own = edfio.read_edf("sine.edf").signals[0].data / per_volt
    return [float(np.abs(signal).max()) for signal in (raw.get_data()[0], written, own)]


expected = {("uV", 1e6): 1e-4, ("mV", 1e3): 1e-4, ("V", 1.0): 1e-4, ("nV", 1e9): 1e5, ("µV", 1e6): 1e2}
as_found = True
for (unit, per_volt), wrong in expected.items():
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Physical m.*chars")  # of a zero behind the point that is cut off
        theirs, written, own = amplitudes(unit, per_volt)
    print(f"{unit}: MNE {theirs:.3g} V, pyEDFlib {written:.3g} V, edfio {own:.3g} V")
    as_found &= abs(theirs / wrong - 1) < 1e-3 and abs(written / VOLTS - 1) < 1e-3 and abs(own / VOLTS - 1) < 1e-3
if not as_found:
    raise SystemExit("CHANGED")
print("AS FOUND: nanovolts are volts.")
PY
venv/bin/python run.py
