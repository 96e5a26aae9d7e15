# make demo: from a fresh clone to a trained network. Needs Python >= 3.11 and make, no compiler, no account.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# Exactly the files whose digests are in requirements/, then the project itself; `check` says if one is missing.
LOCKED := $(PIP) install --require-hashes --no-deps
define install
	$(LOCKED) -r requirements/torch-cpu.lock || \
	  { echo "The torch that computes on the CPU only cannot be had, see above: now the usual one." >&2; \
	    $(LOCKED) -r requirements/torch.lock; }
	$(LOCKED) -r requirements/$(1).lock
	$(PIP) install --no-deps --no-build-isolation -e .
	@$(BIN)/python -m pip --disable-pip-version-check check
	touch $@
endef

.PHONY: demo test test-slow test-docs test-scale docs chromium tmux first-hour bench lint card notebooks lock clean

demo: $(VENV)/.demo
	$(BIN)/mnist1d demo

# A file of tests is one process's work; as many processes as cores.
test: $(VENV)/.dev
	$(BIN)/python -m pytest -n auto --dist loadfile

test-slow: $(VENV)/.dev
	$(BIN)/python -m pytest -m slow

# The site as files: build/site/index.html. A warning is an error.
docs: $(VENV)/.docs
	$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going --builder html --doctree-dir build/doctrees docs build/site

# What needs the site's own libraries; its pages in a browser, Debian's chromium, which `make chromium` installs. Only the
# files that have such tests are read, as reading all takes longer than many of these tests.
test-docs: $(VENV)/.docs
	$(BIN)/python -m pytest -m docs $$(grep -rl --include='test_*.py' 'mark\.docs' tests)

# A cluster of Ray's on this machine.
test-scale: $(VENV)/.scale
	$(BIN)/python -m pytest -m scale $$(grep -rl --include='test_*.py' 'mark\.scale' tests)

chromium tmux:
	command -v $@ || { apt-get update && apt-get install --yes $@; }

# The README and the first lesson, typed into terminals of 80 and 60 columns, and what is seen there looked at.
first-hour: $(VENV)/.dev tmux
	tests/first_hour.sh --venv $(VENV)

bench: $(VENV)/.dev
	$(BIN)/python benchmarks/run_all.py

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# After a new config: its digests, its limits, the card, the README's list. What a published data version contains is not
# changed, but refused.
card: $(VENV)/.dev
	$(BIN)/python -m mnist1d_hf.cache.golden
	$(BIN)/python -m mnist1d_hf.bayes.renew --missing
	$(BIN)/python -m mnist1d_hf.hub.card dataset_card.md
	$(BIN)/python docs/config_list.py

# Executes the notebooks whose sources or results have changed; NOTEBOOK=pooling for one, changed or not.
notebooks: $(VENV)/.dev
	$(BIN)/python docs/notebooks/execute.py $(NOTEBOOK)

# After a change of pyproject.toml's requirements or of constraints.txt. UPGRADE=1 takes the newest of what they leave open.
lock: | $(BIN)/python
	$(PYTHON) -m venv .venv-lock
	.venv-lock/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes --no-deps -r requirements/uv.lock
	.venv-lock/bin/python requirements/renew.py $(if $(UPGRADE),--upgrade)

clean:
	rm -rf $(VENV) .venv-lock dist build outputs .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python >= 3.11 is needed: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: pyproject.toml requirements/demo.lock requirements/core.lock requirements/torch.lock | $(BIN)/python
	$(call install,demo)

$(VENV)/.dev: pyproject.toml requirements/dev.lock requirements/core.lock requirements/torch.lock | $(BIN)/python
	$(call install,dev)

$(VENV)/.docs: $(VENV)/.dev requirements/docs.lock
	$(call install,docs)

$(VENV)/.scale: $(VENV)/.docs requirements/scale.lock
	$(call install,scale)
