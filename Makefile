# make demo: from a fresh clone to a trained network. Needs Python >= 3.11 and make, no compiler, no account.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --disable-pip-version-check --quiet -c constraints.txt

.PHONY: demo test test-slow bench lint card notebooks clean

demo: $(VENV)/.demo
	$(BIN)/mnist1d demo

test: $(VENV)/.dev
	$(BIN)/python -m pytest

test-slow: $(VENV)/.dev
	$(BIN)/python -m pytest -m slow

bench: $(VENV)/.bench
	$(BIN)/python benchmarks/run_all.py

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# The committed digests and the card; both refuse to change what a published data version contains.
card: $(VENV)/.dev
	$(BIN)/python -m mnist1d_hf.golden
	$(BIN)/python -m mnist1d_hf.card dataset_card.md

# Executes the notebooks whose sources or results have changed; NOTEBOOK=pooling for one, changed or not.
notebooks: $(VENV)/.dev
	$(BIN)/python docs/notebooks/execute.py $(NOTEBOOK)

clean:
	rm -rf $(VENV) dist build outputs .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python >= 3.11 is needed: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: pyproject.toml constraints.txt | $(BIN)/python
	$(INSTALL) -e '.[plot]'
	touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(BIN)/python
	$(INSTALL) -e '.[dev]'
	touch $@

$(VENV)/.bench: pyproject.toml constraints.txt | $(BIN)/python
	$(INSTALL) -e '.[bench]'
	touch $@
