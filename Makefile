# Needs only make and Python 3.11 or newer: it makes its own environment in .venv, and is quick the second time.

VENV ?= .venv
BIN := $(VENV)/bin
ARGS ?=

# pip as we use it: exactly the locked versions, nothing fetched that is not in the lock
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
LOCKED := --require-hashes -r

.DEFAULT_GOAL := help
.PHONY: help demo test lint truth bench lock clean

help: ## Say what there is
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

# On a terminal it stays up to be tried, until Ctrl-C; elsewhere nobody could end it.
demo: $(VENV)/.runtime ## See it work: alerts in, PagerDuty, Slack and mail out (stand-ins), no Redis needed
	@if [ -t 0 ] && [ -t 1 ]; then $(BIN)/tocsin demo $(ARGS); else $(BIN)/tocsin demo --once $(ARGS); fi

# All of them in two processes: most that take long wait for a real server's timer.
test: $(VENV)/.dev ## Run the tests; ARGS="tests/routing -k name" runs some
	$(BIN)/python -m pytest $(or $(ARGS),-n 2 --dist loadfile)

lint: $(VENV)/.dev ## Style, types, who imports whom, and what may lie in the repository
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q --no-header -o addopts=--import-mode=importlib tests/project

truth: $(VENV)/.dev ## Tell 2,000 drawn worlds by the service and by simulation; ARGS=100 tells so many
	$(BIN)/python tests/truth/worlds.py $(ARGS)

bench: $(VENV)/.dev ## Measure against prometheus-alertmanager on this machine
	$(BIN)/python -m bench $(ARGS)

lock: $(VENV)/.runtime ## Choose the newest versions that pyproject.toml allows, and write the locks
	@$(PIP) install uv
	$(COMPILE) --output-file requirements.lock pyproject.toml
	$(COMPILE) --extra dev --constraint requirements.lock --output-file requirements-dev.lock pyproject.toml
	$(BIN)/python -c 'import tomllib as t; print(*t.load(open("pyproject.toml", "rb"))["build-system"]["requires"], sep="\n")' \
	  | $(COMPILE) --output-file requirements-build.lock -

# Universal: one lock for every platform and every Python from the oldest that we support on.
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --upgrade --generate-hashes \
	--no-annotate --no-header

clean: ## Remove the environment and all caches
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

# The first Python that is new enough; PYTHON=... chooses another.
$(BIN)/python:
	@for python in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11; do \
	  $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && found=$$python && break; \
	done; \
	if [ -z "$$found" ]; then \
	  echo "Tocsin needs Python 3.11 or newer. There is: $$(python3 --version 2>&1 || true)." >&2; \
	  echo "Install one, or name it: make PYTHON=/path/to/python3.12 ..." >&2; exit 1; \
	fi; \
	$$found -m venv $(VENV) || { \
	  rm -rf $(VENV); \
	  echo "$$found cannot make a virtual environment; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; \
	}

$(VENV)/.runtime: $(BIN)/python requirements.lock requirements-build.lock pyproject.toml
	@echo "Installing Tocsin into $(VENV) (once)..."
	@$(PIP) install $(LOCKED) requirements-build.lock
	@$(PIP) install $(LOCKED) requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements-dev.lock
	@echo "Installing what its development needs (once)..."
	@$(PIP) install $(LOCKED) requirements-dev.lock
	@touch $@
