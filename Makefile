# Each target sets up what it needs and does not repeat it: the environment in .venv, the prepared data in the user's cache.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
RUN_STAMP := $(VENV)/.installed-run
TEST_STAMP := $(VENV)/.installed-test
DEMO := --genome textbook --pop 6 --gens 8 --budget 3 --operators constants=3,structure=1,uniform=1 --workers 2
BENCH :=
# The tests start hundreds of processes; each would compile the packages for itself.
unexport PYTHONDONTWRITEBYTECODE
# A file's tests share what they set up, so they stay together. How many processes there are and in which order files come
# is in tests/conftest.py.
PARALLEL := --numprocesses auto --dist loadfile --no-loadscope-reorder --durations 40

.PHONY: demo test test-tools test-full test-fast test-oldest check format bench audit dist sbom docs clean help

help:  ## Show this list.
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:[^#]*## /\t/' | expand -t 14

demo: $(RUN_STAMP)  ## Evolve a plain GPT for a few minutes and say what was found.
	$(BIN)/evo run $(DEMO)

test-tools: $(TEST_STAMP)
	sh tests/browser/install.sh $(BIN)
	sh tests/integration/install.sh $(VENV)

test: test-tools  ## Run the tests, of the audit's genomes a selection.
	$(BIN)/python -m pytest $(PARALLEL) -m "not full"

test-full: test-tools  ## Run all tests.
	$(BIN)/python -m pytest $(PARALLEL)

test-fast: $(TEST_STAMP)  ## Run the tests that need neither a browser nor long runs.
	$(BIN)/python -m pytest $(PARALLEL) -m "not slow and not full" --ignore tests/browser

OLDEST := build/oldest
# What the oldest allowed versions decide: configuration, command line, parsers, store, search, replay, and one real run.
OLDEST_TESTS := $(addprefix tests/unit/, evo/commands evo/config evo/search evo/standings evo/steering operators/source \
	operators/mutation operators/protection operators/tuning populations trainer/corpus/test_vocabulary.py \
	trainer/scoring/test_tolerance.py) tests/integration/evo/search/test_journey.py \
	tests/integration/evo/runs/test_replay.py tests/e2e/test_commands_help.py

test-oldest: $(TEST_STAMP)  ## Try the oldest versions of the dependencies that are allowed, in an environment of their own.
	$(PIP) install uv
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(OLDEST)
	$(BIN)/uv pip install --quiet --python $(OLDEST) --resolution lowest-direct --editable .
	$(BIN)/uv pip install --quiet --python $(OLDEST) ".[openai]" pytest pytest-timeout pytest-xdist hypothesis jsonschema
	PATH="$(CURDIR)/$(OLDEST)/bin:$$PATH" $(OLDEST)/bin/python -m pytest -p no:cacheprovider $(PARALLEL) -m "not slow and not full" $(OLDEST_TESTS)

check: $(TEST_STAMP)  ## Lint (the Dockerfile too), types, import contracts.
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/hadolint Dockerfile

format: $(TEST_STAMP)  ## Format the code and fix what ruff can fix.
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(TEST_STAMP)  ## Measure what the driver costs and record it under experiments/records.
	$(BIN)/python -m experiments.performance $(BENCH)

audit: $(RUN_STAMP)  ## Try every cheat, and every honest genome with ten seeds (about half an hour).
	$(BIN)/evo audit
	$(BIN)/evo audit --honest --seeds 10

dist: $(VENV)/bin/python  ## Build the wheel and the sdist and check both.
	$(PIP) install build check-wheel-contents twine
	rm -rf build dist
	$(BIN)/python -m build --outdir dist .
	$(BIN)/twine check --strict dist/*
	$(BIN)/check-wheel-contents dist/*.whl
	$(MAKE) --no-print-directory sbom

sbom: $(VENV)/bin/python  ## Write what an installation of the wheel consists of (CycloneDX) to build/evo-train.cdx.json.
	$(PIP) install cyclonedx-bom
	$(PYTHON) -m venv --clear build/installed
	build/installed/bin/python -m pip --disable-pip-version-check --quiet install --constraint constraints.txt dist/*.whl
	$(BIN)/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible --output-format JSON \
		--output-file build/evo-train.cdx.json build/installed

docs: $(TEST_STAMP)  ## Build the documentation as a site in build/docs; a warning is an error.
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict

clean:  ## Remove the environment and what tools left behind; runs and data stay.
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist *.egg-info

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; assert sys.version_info >= (3, 11), "Python 3.11 or newer is needed; try make PYTHON=python3.12"'
	$(PYTHON) -m venv $(VENV)

$(RUN_STAMP): $(VENV)/bin/python pyproject.toml constraints.txt
	$(PIP) install --constraint constraints.txt --editable .
	touch $@

$(TEST_STAMP): $(VENV)/bin/python pyproject.toml constraints.txt
	$(PIP) install --constraint constraints.txt --editable ".[test,check]"
	touch $@ $(RUN_STAMP)
