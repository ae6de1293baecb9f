# Hookswitch: what people type. `make help` lists it.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
STAMPS := .venv/.stamps

.PHONY: help setup run check test pictures format lock clean

help: ## List the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{ printf "  make %-8s %s\n", $$1, $$2 }'

setup: $(STAMPS)/project $(STAMPS)/assets ## Make .venv and install what running needs, as locked

run: setup ## Run everything on this machine: http://127.0.0.1:8000 (PORT=8080 make run changes it)
	@exec $(BIN)/hookswitch up

check: $(STAMPS)/dev $(STAMPS)/assets ## Formatter, linter, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: $(STAMPS)/dev $(STAMPS)/assets ## The whole test suite, on a real Redis and a real PostgreSQL that it starts itself
	$(BIN)/pytest -n auto $(PYTEST_ARGS)

pictures: $(STAMPS)/dev $(STAMPS)/assets ## Pictures of every page, in var/pictures (needs Chromium)
	$(BIN)/python -m scripts.pictures

format: $(STAMPS)/dev ## Let the formatter and the linter mend what they can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# setuptools stands beside our own needs: it builds the project itself, without a network. Extras stay in
# the lock: where one is missing, pip before 23.3 takes the newest version, which has no hash.
COMPILE := uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
  --no-strip-extras --no-annotate --no-header --no-emit-index-url pyproject.toml -

lock: ## Maintainers: write requirements/*.lock anew from pyproject.toml (needs uv)
	@command -v uv >/dev/null || { echo "make lock needs uv: https://docs.astral.sh/uv" >&2; exit 1; }
	echo setuptools | $(COMPILE) -o requirements/run.lock
	echo setuptools | $(COMPILE) --group dev -c requirements/run.lock -o requirements/dev.lock

clean: ## Remove .venv and caches; var/ with its data stays
	rm -rf .venv .assets .mypy_cache .ruff_cache .import_linter_cache .hypothesis build *.egg-info
	find . -name __pycache__ -type d -not -path './var/*' -prune -exec rm -rf {} +

$(STAMPS)/venv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Hookswitch needs Python 3.11 or newer; name one: make $(or $(MAKECMDGOALS),setup) PYTHON=python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "This Python cannot make a virtual environment; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@echo "Making .venv …"
	@$(PYTHON) -m venv --clear .venv
	@mkdir -p $(@D) && touch $@

# What is imported is compiled at its first import; compiling all of it would double the time.
$(STAMPS)/run: requirements/run.lock | $(STAMPS)/venv
	@echo "Installing what running needs …"
	@$(PIP) install --require-hashes --no-compile -r $<
	@mkdir -p $(@D) && touch $@

$(STAMPS)/dev: requirements/dev.lock $(STAMPS)/project
	@echo "Installing what checks and tests need …"
	@$(PIP) install --require-hashes --no-compile -r $<
	@touch $@

# Style sheets and scripts of the page, out of two packages that are never imported; not in the repository.
$(STAMPS)/assets: requirements/assets.lock | $(STAMPS)/venv
	@$(PIP) install --require-hashes --no-deps --no-compile --upgrade --target .assets -r $<
	@touch $@

# Editable: the commands run the files in this folder. What it needs is there already, as locked.
$(STAMPS)/project: pyproject.toml $(STAMPS)/run
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@
