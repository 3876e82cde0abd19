# `make demo` and `make test` are all that a newcomer needs; both set up by themselves.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
UV := VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/uv
SUPPORTED := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
export NO_ALBUMENTATIONS_UPDATE := 1
# Tests start many processes: each would compile the package, and pytest every test.
unexport PYTHONDONTWRITEBYTECODE

# The first interpreter that runs and that we support; `make PYTHON=...` chooses another.
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c "$(SUPPORTED)" 2>/dev/null && echo $$python && break; done)

.PHONY: help demo test tests test-slow lint types lock bench bench-scale docs clean setup

help:
	@echo "make demo       set up, train on the built-in cast, evaluate, write the report and say where it is"
	@echo "make test       set up, run the linter, the type checker, the import-layer check and the tests"
	@echo "make test-slow  the long tests"
	@echo "make bench      speed and memory against named baselines"
	@echo "make bench-scale  thousands of classes, and how time and memory grow with size"
	@echo "make docs       build the documentation as a site and say where it is"
	@echo "make lock       renew requirements.lock and the locks of the image"

setup: $(READY)

$(READY): requirements.lock pyproject.toml
	@$(if $(PYTHON),$(PYTHON),false) -c "$(SUPPORTED)" 2>/dev/null || { \
		echo "animeid needs Python 3.11, 3.12 or 3.13: install one, or name it with make PYTHON=/path/to/python3.12." >&2; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@awk '/^uv==/ {found = 1} found {print} found && !/\\$$/ {exit}' requirements.lock > $(VENV)/uv.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r $(VENV)/uv.lock
	$(UV) pip sync --quiet --compile-bytecode --require-hashes requirements.lock
	$(UV) pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup
	$(BIN)/python -m animeid.train budget=3min

# Two processes with a thread each: threads of several processes on the same cores wait for one another.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile

# The type checker works beside the tests.
test: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	@$(MAKE) --no-print-directory -j2 types tests

tests: setup
	$(PYTEST)

test-slow: setup
	$(PYTEST) -m slow

lint: types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: setup
	$(BIN)/python -m experiments.speed.bench

# `SCALE=0.01 make bench-scale` tries it with a hundredth of each size.
bench-scale: setup
	$(BIN)/python -m experiments.scale.bench

docs: setup
	$(BIN)/python -m sphinx -b html -W --keep-going -q docs docs/_build
	@echo "the site is docs/_build/index.html"

# All extras but Ray, which is large; and what the image of the service holds.
EXTRAS = $(shell $(BIN)/python -c "import tomllib; extras = tomllib.load(open('pyproject.toml', 'rb'))['project']['optional-dependencies']; \
	print(*(f'--extra {name}' for name in extras if name != 'ray'))")
COMPILE = $(UV) pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --upgrade --python-version 3.11

lock: setup
	$(COMPILE) --group dev $(EXTRAS) pyproject.toml --output-file requirements.lock
	$(COMPILE) --no-build-isolation --extra serve packaging/runtime/pyproject.toml --output-file packaging/docker/requirements.lock
	$(BIN)/python -c "import tomllib; print(*tomllib.load(open('packaging/runtime/pyproject.toml', 'rb'))['build-system']['requires'], sep='\n')" \
		| $(COMPILE) - --output-file packaging/docker/build.lock

clean:
	rm -rf $(VENV) .cache .mypy_cache .pytest_cache .ruff_cache dist build docs/_build
