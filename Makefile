# make run   everything on this machine, with the demo;  make run SOURCE=rtsp://…  your camera
# make test  the tests
SHELL := /bin/bash
PYTHON ?= python3
SOURCE ?=
ARGS ?=
DATA ?=
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
READY := $(VENV)/.ready
READY_DEV := $(VENV)/.ready-dev

.PHONY: run setup test lint bench accuracy lock clean

run: $(READY)
	@$(BIN)/rekstream up $(if $(SOURCE),'$(SOURCE)') $(ARGS)

setup: $(READY_DEV)

test: $(READY_DEV)
	$(BIN)/python -m pytest -n 3 --dist loadscope --no-loadscope-reorder --reruns 1 -r R $(ARGS)  # what a busy machine made fail runs once more, and is named

lint: $(READY_DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(READY_DEV)
	$(BIN)/python -m bench $(ARGS)

accuracy: $(READY)
	@test -n '$(DATA)' || { echo "say where the pictures are: make accuracy DATA=folder (docs/accuracy.md says what is in it)"; exit 2; }
	@$(BIN)/python -m accuracy '$(DATA)' $(ARGS)

lock:
	scripts/lock.sh

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(READY): pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "rekstream needs Python 3.11 or later, and $(PYTHON) is older: make PYTHON=python3.12 …"; exit 2; }
	@echo "setting up $(VENV): a minute or so, once"
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) --require-hashes -r requirements.lock
	@$(PIP) --no-build-isolation --no-deps -e .
	@touch $@

$(READY_DEV): $(READY) requirements-dev.lock
	@$(PIP) --require-hashes -r requirements-dev.lock
	@touch $@
