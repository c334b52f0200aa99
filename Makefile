# Everything here sets up what it needs, once, in a local virtual environment; only python3, git and make are assumed.

PYTHON ?= python3
VENV ?= .venv
WORKERS ?= 2

python := $(VENV)/bin/python
# Only errors: an index that lacks a package is a warning for every package.
pip := $(python) -m pip install --quiet --quiet --disable-pip-version-check --no-input

# On CPUs with few cores some compiled loops were seen to freeze without this flag.
scheduler_flag := --xla_cpu_enable_concurrency_optimized_scheduler=false
export XLA_FLAGS := $(strip $(filter-out $(scheduler_flag),$(XLA_FLAGS)) $(scheduler_flag))

# Files that begin with an underscore are shared code, not experiments.
experiments := $(filter-out experiments/_%,$(wildcard experiments/*.py))
benchmarks := $(filter-out experiments/benchmarks/_%,$(wildcard experiments/benchmarks/*.py))

.DEFAULT_GOAL := help
# All targets share one environment: two installations at once would step on each other.
.NOTPARALLEL:

.PHONY: help demo test test-quick test-slow test-interop run-test-interop lint format readme bench notebooks notebooks-check experiments-smoke clean

help:  ## say what can be made
	@sed -n 's/^\([a-z-]*\):.*##  *\(.*\)/\1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r name text; do \
		printf '  make %-18s %s\n' "$$name" "$$text"; done

demo: $(VENV)/.demo  ## fit a Gaussian to a mixture under both KL directions; figures in results/mixture_kl/
	$(python) -m experiments.mixture_kl

test: $(VENV)/.test  ## run every test but the slow ones, with 32-bit and with 64-bit floats
	JAX_ENABLE_X64=0 $(python) -m pytest -n $(WORKERS) --dist worksteal -m "not slow" $(PYTEST_ARGS)
	JAX_ENABLE_X64=1 $(python) -m pytest -n $(WORKERS) --dist worksteal -m "not slow" $(PYTEST_ARGS)

test-quick: $(VENV)/.test  ## run the tests once, with 32-bit floats
	JAX_ENABLE_X64=0 $(python) -m pytest -n $(WORKERS) --dist worksteal -m "not slow" $(PYTEST_ARGS)

test-slow: $(VENV)/.test  ## run the slow tests only
	JAX_ENABLE_X64=0 $(python) -m pytest -n $(WORKERS) --dist worksteal -m slow $(PYTEST_ARGS)
	JAX_ENABLE_X64=1 $(python) -m pytest -n $(WORKERS) --dist worksteal -m slow $(PYTEST_ARGS)

# An environment of its own: these libraries hold back the versions of others.
test-interop:  ## run the tests of interop beside numpyro, distrax, TFP and flowjax
	@$(MAKE) --no-print-directory VENV=.venv-interop run-test-interop

run-test-interop: $(VENV)/.interop
	JAX_ENABLE_X64=0 $(python) -m pytest -n $(WORKERS) $(PYTEST_ARGS) tests/interop
	JAX_ENABLE_X64=1 $(python) -m pytest -n $(WORKERS) $(PYTEST_ARGS) tests/interop

lint: $(VENV)/.lint  ## check format, style, types and the direction of imports
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/pyright --pythonpath $(python)
	$(VENV)/bin/lint-imports

format: $(VENV)/.lint  ## rewrite the files in the project's format
	$(VENV)/bin/ruff format .
	$(VENV)/bin/ruff check --fix .

readme: $(VENV)/.test  ## write the README's tables of measures from the docstrings
	$(python) -m tests.readme_tables

bench: $(VENV)/.demo  ## time the measures side by side with what people paste today
	$(python) -m experiments.benchmarks.measures

notebooks: $(VENV)/.notebooks  ## execute the notebooks and write the .ipynb beside each .py
	$(python) notebooks/_execute.py

notebooks-check: $(VENV)/.notebooks  ## execute the notebooks and check that each .ipynb shows its .py
	$(python) notebooks/_execute.py --check

experiments-smoke: $(VENV)/.demo  ## run every experiment and benchmark in its short form
	@set -e; for file in $(experiments) $(benchmarks); do \
		module=$$(echo "$${file%.py}" | tr / .); \
		echo "$(python) -m $$module --smoke"; $(python) -m "$$module" --smoke; done

clean:  ## remove environments, caches and results
	rm -rf .venv* results build dist .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# One stamp for each set of packages; a change of pyproject.toml installs anew.
$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else \
		f"jaxinfo needs Python 3.11 or newer, and $(PYTHON) is {sys.version.split()[0]}: make PYTHON=python3.x ...")'
	@echo "setting up $(VENV), once (a few minutes on a slow network)"
	$(PYTHON) -m venv --clear $(VENV)
	@# Dependency groups need pip 25.1.
	$(pip) --upgrade "pip>=25.1"
	@touch $@

$(VENV)/.demo: pyproject.toml $(VENV)/.made
	$(pip) --editable ".[experiments]"
	@touch $@

$(VENV)/.test: pyproject.toml $(VENV)/.made
	$(pip) --editable ".[experiments]" --group test
	@touch $@

$(VENV)/.interop: pyproject.toml $(VENV)/.made
	$(pip) --editable . --group interop
	@touch $@

$(VENV)/.lint: pyproject.toml $(VENV)/.made
	$(pip) --editable ".[experiments]" --group dev
	@touch $@

$(VENV)/.notebooks: pyproject.toml $(VENV)/.made
	$(pip) --editable ".[notebooks]"
	@touch $@
