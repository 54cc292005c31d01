# Two commands matter: `make study` (the flagship study and its verdict) and `make test` (everything a change must pass).
# Both work on a machine with only make and Python 3.11 or later with venv; the rest is installed into .venv.
#
#   make study TORCH_INDEX=URL    take torch, and only torch, from another index (the default Linux torch is several GB)
#   make study PYTHON=python3.12  choose the interpreter;  make test JOBS=0  run the tests in one process

RECENT := 'import sys; sys.exit(sys.version_info < (3, 11))'
CANDIDATES := python3 python3.14 python3.13 python3.12 python3.11 python
PYTHON ?= $(shell for p in $(CANDIDATES); do $$p -c $(RECENT) >/dev/null 2>&1 && { echo $$p; break; }; done)
TORCH_INDEX ?=
JOBS ?= 2
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt

.PHONY: bwrap study study-full test bench nightly docs error-rates reliability format clean
.DELETE_ON_ERROR:

study: $(VENV)/study.stamp
	$(BIN)/netgain run length

study-full: $(VENV)/study.stamp
	test -f studies/length-full/netgain.toml || $(BIN)/netgain init studies/length-full --from length --size full
	$(BIN)/netgain run studies/length-full

test: $(VENV)/test.stamp
	$(BIN)/ruff check .
	# in order (worksteal), so that a module's study is made once; types are checked beside the tests
	$(BIN)/mypy & types=$$!; $(BIN)/python -m pytest -n $(JOBS) --dist worksteal; tests=$$?; wait $$types && exit $$tests

nightly: $(VENV)/nightly.stamp
	rm -f .reliability
	NETGAIN_RELIABILITY=$(CURDIR)/.reliability \
	  $(BIN)/python -m pytest -n $(JOBS) --dist worksteal -m 'nightly or counted'; code=$$?; \
	  $(BIN)/python tools/make_reliability.py --lines .reliability && exit $$code

bench: $(VENV)/test.stamp
	$(BIN)/netgain bench

docs: $(VENV)/test.stamp
	$(BIN)/python tools/make_reference.py

error-rates: $(VENV)/test.stamp
	$(BIN)/python tools/make_error_rates.py --keep .error-rates

reliability: $(VENV)/test.stamp
	$(BIN)/python tools/make_reliability.py

format: $(VENV)/test.stamp
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) build dist src/netgain.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis

# A stamp is newer than what it was made from, so a second call installs nothing. The build backend comes first and
# pinned: without build isolation nothing is installed that constraints.txt does not name.
$(VENV)/study.stamp: EXTRAS := torch
$(VENV)/test.stamp: EXTRAS := torch,test
$(VENV)/nightly.stamp: EXTRAS := torch,test,oracles
$(VENV)/test.stamp $(VENV)/nightly.stamp: | bwrap
$(VENV)/%.stamp: $(VENV)/made pyproject.toml constraints.txt
	@echo "installing netgain[$(EXTRAS)] into $(VENV) (the first time this takes minutes)"
	$(PIP) setuptools
	$(if $(TORCH_INDEX),$(PIP) --no-deps --index-url $(TORCH_INDEX) torch)
	$(PIP) --no-build-isolation --editable '.[$(EXTRAS)]'
	@touch $@

# The default sandbox is a program of the system. Without it the tests of the sandbox are skipped, each saying so.
bwrap:
	@command -v bwrap >/dev/null || \
	  { test "$$(id -u)" = 0 && command -v apt-get >/dev/null && echo "installing bubblewrap" && \
	    { apt-get install -qq -y bubblewrap || { apt-get update -qq && apt-get install -qq -y bubblewrap; }; }; } || \
	  echo "bubblewrap is missing and cannot be installed from here: tests of the sandbox are skipped; next: apt-get install bubblewrap, as root"

$(VENV)/made:
	@test -n "$(PYTHON)" || { echo "netgain needs Python 3.11 or later: none found; next: make PYTHON=/path/to/python3"; exit 2; }
	@$(PYTHON) -c $(RECENT) || { echo "netgain needs Python 3.11 or later: $(PYTHON) is older or missing; next: make PYTHON=/path/to/python3"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	@touch $@
