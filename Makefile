.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
READY := .venv/ready
COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-annotate --custom-compile-command "make lock"

.PHONY: help setup fmt lint test test-all test-sdk faults demo bench build docs generate lock recording

help: ## This list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 12

setup: $(READY) ## Make .venv with exactly what requirements.lock says

$(READY): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "mg needs Python 3.11 or newer, with its venv module (Debian: apt install python3-venv)"; exit 1; }
	@echo "setup: making .venv with $(PYTHON)"
	@$(PYTHON) -m venv --clear .venv
	@awk '/^uv==/ {p=1} p {print} p && !/\\$$/ {exit}' requirements.lock > .venv/uv.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r .venv/uv.lock
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(READY) ## Custom weights from a bucket to an answered request, on this machine
	@$(BIN)/mg demo

test: $(READY) .venv/compiled ## All tests
	@$(BIN)/python -m tests.support.running.real_clients
	@$(BIN)/python -m pytest -n auto --dist worksteal

# Once, by one process: five workers that start together would each compile all that the tests import.
.venv/compiled: $(READY)
	@$(BIN)/python -m pytest --collect-only -qq >$@ 2>&1 || true

test-all: test ## All tests, then those of the host and the rehearsal on every other Python that is there
	@$(BIN)/python -m tools.versions pythons

test-sdk: $(READY) ## Those of the host and the rehearsal on the oldest and the newest SDK of Pulumi
	@$(BIN)/python -m tools.versions sdk

faults: $(READY) ## Lives with kills, lost answers and time limits: CASES=20 SEED=… ENGINE=rehearse|alone|pulumi|both
	@$(BIN)/python -m tests.faults --cases $(or $(CASES),20) $(if $(SEED),--seed $(SEED)) \
		--engine $(or $(ENGINE),rehearse)

lint: $(READY) ## Style, types, import contracts, generated files
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/python -m tools.generate --check

fmt: $(READY) ## Format the code and fix what can be fixed
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format --quiet .

generate: $(READY) ## Write the generated files again
	@$(BIN)/python -m tools.generate

recording: $(READY) ## Record the demo as the picture in the README
	@$(BIN)/python -m tools.recording

bench: $(READY) ## Measure speed, memory and calls: PARTS="growth review", OPTIONS="--against FILE"
	@$(BIN)/python -m benchmarks $(PARTS) $(OPTIONS)

build: $(READY) ## A wheel and an sdist in dist/
	@$(BIN)/python -m build --no-isolation --outdir dist .

docs: $(READY) .venv-docs/ready ## The site in site/, with every link and anchor checked
	@NO_MKDOCS_2_WARNING=1 .venv-docs/bin/mkdocs build --strict --clean
	@echo "docs: open site/index.html; for the search as well, serve it: .venv-docs/bin/mkdocs serve"

.venv-docs/ready: docs/requirements.lock $(READY)
	@$(PYTHON) -m venv --clear .venv-docs
	@$(BIN)/uv pip sync --quiet --python .venv-docs/bin/python --require-hashes docs/requirements.lock
	@touch $@

lock: ## Resolve the dependencies again
	@$(COMPILE) --group dev --extra demo pyproject.toml -o requirements.lock $(LOCK_FLAGS)
	@$(COMPILE) --group docs -o docs/requirements.lock $(LOCK_FLAGS)
	@$(COMPILE) --group clients -o tests/clients/requirements.lock $(LOCK_FLAGS)
