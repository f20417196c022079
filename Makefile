# Needs Python 3.11 or newer, make and a package index. Another Python: make PYTHON=/path/to/python test
PYTHON ?=
CANDIDATES = $(if $(PYTHON),$(PYTHON),python3.13 python3.12 python3.11 python3 python)
OLDEST_PYTHON = $(if $(PYTHON),$(PYTHON),python3.11)
RUN = .venv/bin
# What test-oldest and test-newest run; all that `make test` does if empty.
TESTS ?=

.PHONY: demo test test-slow test-peers test-oldest test-newest freeze schema lint lock package figures speed bench-check import-time docs clean

demo: .venv/.installed
	$(RUN)/memsim run drift
	$(RUN)/memsim draw drift

# A worker without work takes half of what the other has left: hardly a file is run, and so compiled, by both.
test: .venv/.installed
	$(RUN)/python -m pytest -n 2 --dist worksteal -q

test-slow: .venv/.installed
	$(RUN)/python -m pytest -n 2 --dist worksteal -q -m slow

# The other libraries are some gigabytes: in an environment of their own.
test-peers: .venv-peers/.installed
	.venv-peers/bin/python -m pytest -q -m peers

# The lower bounds of pyproject.toml, on the oldest Python.
test-oldest: .venv-oldest/.installed
	.venv-oldest/bin/python -m pytest -n 2 --dist worksteal -q $(TESTS)

# The newest versions that pyproject.toml allows, looked up anew, on the newest Python at hand: PYTHON names another.
test-newest: .venv-newest/.made
	.venv-newest/bin/python -m pip install --quiet --disable-pip-version-check --upgrade --upgrade-strategy eager \
	    -e '.[test,data,events]'
	.venv-newest/bin/python -m pytest -n 2 --dist worksteal -q $(TESTS)

# Writes anew the results that no change of code may move.
freeze: .venv/.installed
	FREEZE=1 $(RUN)/python -m pytest -q tests/golden/test_frozen.py -k anew

# Writes anew what a file of a device must be, after a class of device_models has changed its fields.
schema: .venv/.installed
	$(RUN)/python -c "from device_models.fit._schema import publish; publish()"

lint: .venv/.installed
	$(RUN)/ruff check
	$(RUN)/ruff format --check
	$(RUN)/pyright --pythonpath $(RUN)/python

# The site, into docs/_build/html: all of it anew, with every page that runs; a warning fails it. Two pages at a time.
docs: .venv/.docs
	$(RUN)/python -m sphinx -j 2 -q -W --keep-going -E docs docs/_build/html

# What is published: built, measured, and run from another folder. It is left in dist.
package: .venv/.installed
	.ci/package $(RUN)/python dist

# The exact versions that .venv gets, for every Python and system that pyproject.toml allows: looked up anew.
lock: .venv/.installed
	$(RUN)/python -m pip install --quiet --disable-pip-version-check uv
	$(RUN)/uv pip compile --quiet --universal --python-version 3.11 --upgrade --no-annotate --no-header --extra test pyproject.toml \
	    --output-file tests/locked.txt

figures: .venv/.installed
	$(RUN)/memsim draw drift

speed: .venv/.installed
	$(RUN)/memsim run speed

# Ratios of chosen cases against those of the last release, experiments/_bench_ratios.csv; fails beyond 25 %.
bench-check: .venv/.installed
	$(RUN)/memsim run speed --only forward --out results/bench-check/forward
	$(RUN)/memsim run speed --only updates --out results/bench-check/updates
	$(RUN)/python experiments/_bench_check.py results/bench-check/*/speed.csv

import-time: .venv/.installed
	$(RUN)/python tests/support/import_time.py

# Results stay: they may have taken hours.
clean:
	rm -rf .venv .venv-peers .venv-oldest .venv-newest .pytest_cache .ruff_cache build dist docs/_build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.docs: .venv/.installed
	$(RUN)/python -m pip install --quiet --disable-pip-version-check -e '.[docs]' -c tests/locked.txt
	@touch $@

.venv-peers/.installed: .venv/.installed
	$(RUN)/python -m venv .venv-peers
	.venv-peers/bin/python -m pip install --quiet --disable-pip-version-check -e '.[test,nir,peers]'
	@touch $@

.venv-oldest/.installed: pyproject.toml tests/oldest.txt
	@$(OLDEST_PYTHON) -c 'import sys; raise SystemExit(sys.version_info[:2] != (3, 11))' || { \
	    echo "The oldest versions need Python 3.11. Got $(OLDEST_PYTHON). Run make PYTHON=/path/to/python3.11 test-oldest." >&2; \
	    exit 1; }
	rm -rf .venv-oldest
	$(OLDEST_PYTHON) -m venv .venv-oldest
	.venv-oldest/bin/python -m pip install --quiet --disable-pip-version-check -e '.[test,data,events]' -c tests/oldest.txt
	@touch $@

.venv-newest/.made:
	@for python in $(CANDIDATES); do \
	    if "$$python" -c 'import sys, venv, ensurepip; raise SystemExit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
	        rm -rf .venv-newest && "$$python" -m venv .venv-newest && touch $@ && exit 0; \
	    fi; \
	done; \
	echo "memsim needs Python 3.11 or newer with venv and ensurepip. None runs among: $(CANDIDATES)." >&2; \
	exit 1

# The stamp holds the folder it was made in: a .venv that does not run, or was moved, is made again.
ifneq ($(shell $(RUN)/python -c '' 2>/dev/null && cat .venv/.installed 2>/dev/null),$(CURDIR))
.PHONY: .venv/.installed
endif

# Candidates are run, not looked up: a version manager's shim can exist and still fail.
.venv/.installed: pyproject.toml tests/locked.txt
	@if $(RUN)/python -m pip --version >/dev/null 2>&1 && \
	    { [ ! -e $@ ] || [ "$$(cat $@)" = "$(CURDIR)" ]; }; then exit 0; fi; \
	for python in $(CANDIDATES); do \
	    if "$$python" -c 'import sys; raise SystemExit(sys.version_info < (3, 11))' >/dev/null 2>&1 && \
	       "$$python" -c 'import venv, ensurepip' >/dev/null 2>&1; then \
	        echo "Making .venv with $$("$$python" --version)."; \
	        rm -rf .venv && exec "$$python" -m venv .venv; \
	    fi; \
	done; \
	echo "memsim needs Python 3.11 or newer with venv and ensurepip. None runs among: $(CANDIDATES)." \
	    "Install one, or run make PYTHON=/path/to/python." >&2; \
	exit 1
	@echo "Installing memsim and its test tools into .venv, about two minutes the first time."
	@$(RUN)/python -m pip install --quiet --disable-pip-version-check -e '.[test]' -c tests/locked.txt
	@printf '%s\n' "$(CURDIR)" > $@
