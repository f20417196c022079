#!/usr/bin/env bash
# Finding: spicelib 1.6.4, which edits netlists and runs them in LTspice, ngspice and others, reads the suffixes of their numbers by
# case, where SPICE has no case: M is milli and MEG is mega, however they are written. A resistor of one megohm, written 1meg as
# in most netlists, is read as a milliohm, one of a milliohm, 1M, as a megohm, each wrong by 1e9:
#                      1meg      1MEG     1Meg     1m       1M       1mil        1e3k
#     ngspice 39       1e6       1e6      1e6      0.001    0.001    25.4e-6     1e6
#     spicelib         0.001     1e6      1e6      0.001    1e6      0.001       1000
# Nothing is told. What it writes, 1Meg and 1m, both read alike. Where ngspice is installed it is asked for its numbers; else they
# are taken from above.
# Seen on 2026-11-30. Python 3.11 or 3.12. Exit 0: as found. Else: changed, or not installed.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install --quiet --no-compile --disable-pip-version-check spicelib==1.6.4
venv/bin/python -W ignore - <<'PY'
import logging, re, shutil, subprocess

logging.disable(logging.CRITICAL)
from spicelib import SpiceEditor

NUMBERS = ["1meg", "1MEG", "1Meg", "1m", "1M", "1mil", "1e3k"]
SPICE = [1e6, 1e6, 1e6, 1e-3, 1e-3, 25.4e-6, 1e6]
FOUND = [1e-3, 1e6, 1e6, 1e-3, 1e6, 1e-3, 1e3]

resistors = [f"R{i} in 0 {number}" for i, number in enumerate(NUMBERS, 1)]
asked = "print " + " ".join(f"@r{i}[resistance]" for i in range(1, len(NUMBERS) + 1))
with open("array.net", "w") as file:
    file.write("\n".join(["* resistors", "V1 in 0 1", *resistors, ".op", ".control", "run", asked, ".endc", ".end", ""]))
netlist = SpiceEditor("array.net")
theirs = [float(netlist.get_component_floatvalue(f"R{i}")) for i in range(1, len(NUMBERS) + 1)]
spice = SPICE
if shutil.which("ngspice"):
    output = subprocess.run(["ngspice", "-b", "array.net"], capture_output=True, text=True).stdout
    spice = [float(value) for value in re.findall(r"@r\d+\[resistance\] = (\S+)", output)]
for row in zip(["number", *NUMBERS], ["spice", *spice], ["spicelib", *theirs]):
    print("{:>8} {!s:>10} {!s:>10}".format(*row))


def same(one, other):
    return len(one) == len(other) and all(abs(a / b - 1) < 1e-6 for a, b in zip(one, other))


if not (same(spice, SPICE) and same(theirs, FOUND)):
    raise SystemExit("CHANGED")
print("AS FOUND: a megohm is a milliohm.")
PY
