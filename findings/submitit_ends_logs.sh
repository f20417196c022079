#!/usr/bin/env bash
# Finding: importing submitit 1.5.4 ends a log file that the program had opened before with filemode="w": its dictConfig shuts
# down every handler of `logging` in the process, not only its own. Nothing is said, and later messages are lost. A file
# opened with the default mode "a" is opened again and goes on. With SUBMITIT_LOG_LEVEL=NOCONFIG, set before the import,
# logging is left alone. (The same closes whatever stream absl's handler holds, such as one that a test runner captures.)
# Seen on 2026-11-29. Python 3.11. Exit 0: as found. Else: changed, or not installed.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install --quiet --no-compile --disable-pip-version-check submitit==1.5.4
cat > run.py <<'PY'
import logging, sys

logging.basicConfig(filename=sys.argv[1], filemode=sys.argv[2], level=logging.INFO, format="%(message)s")
logging.info("before")
import submitit

logging.info("after")
PY
venv/bin/python run.py w.log w
venv/bin/python run.py a.log a
SUBMITIT_LOG_LEVEL=NOCONFIG venv/bin/python run.py kept.log w
echo "submitit 1.5.4, what is in the log: mode w: $(paste -sd' ' w.log); mode a: $(paste -sd' ' a.log); NOCONFIG: $(paste -sd' ' kept.log)"
[ "$(paste -sd' ' w.log)" = "before" ] && [ "$(paste -sd' ' a.log)" = "before after" ] && [ "$(paste -sd' ' kept.log)" = "before after" ]
