# Two commands on a fresh machine: `make demo` and `make test`. Each makes `.venv` first if it is missing.
# Another Python: make test PYTHON=python3.12

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: help install demo test test-slow check format bench clean

help:
	@echo "make demo       the whole life cycle of sample_data/ into demo/"
	@echo "make test       the tests, without the slow ones"
	@echo "make test-slow  long trainings and soaks, too"
	@echo "make check      ruff, mypy, import contracts"
	@echo "make format     let ruff rewrite the sources"
	@echo "make bench      the measurements of bench/"
	@echo "make install    only make .venv"
	@echo "make clean      remove what the others made, .venv included"

install: $(STAMP)

# A new pyproject.toml installs again; the stamp is written last, so that a broken install is repeated.
$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || { \
	  echo "vision needs Python 3.11, 3.12 or 3.13, and '$(PYTHON)' is $$($(PYTHON) --version 2>&1)." >&2; \
	  echo "Name another one: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "'$(PYTHON)' has no venv module; on Debian and Ubuntu: apt install python3-venv" >&2; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check --editable '.[all,dev]'
	@touch $@

demo: $(STAMP)
	$(BIN)/python sample_data/demo.py --out demo

test: $(STAMP)
	$(BIN)/python -m pytest -m "not slow" --durations 25

test-slow: $(STAMP)
	$(BIN)/python -m pytest

check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(STAMP)
	@for script in bench/*.py; do \
	  test -e "$$script" || { echo "bench/ holds no measurement yet"; break; }; \
	  echo "== $$script"; $(BIN)/python "$$script" || exit 1; \
	done

clean:
	rm -rf $(VENV) demo .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
