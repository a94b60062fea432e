# Every target sets up what it needs. Requires make and Python 3.11 or later.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.DEFAULT_GOAL := help
.PHONY: help setup demo test check format bench docs site lock

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' Makefile | expand -t 14

setup: $(READY) ## make .venv and install everything into it

demo: $(READY) ## edit a real model with six editors and print what breaks
	$(BIN)/pitfalls run

test: $(READY) ## run all tests
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile

check: $(READY) ## lint, format, types, the site and tests, as a change must pass them
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/zensical build --strict
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile

format: $(READY) ## put the code into its format
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: $(READY) ## time the fast paths against the plain ones
	$(BIN)/python benchmarks/bench.py

docs: $(READY) ## write the generated pages of docs/ again
	$(BIN)/python tools/docs.py

site: $(READY) ## make the site of docs/ in site/
	$(BIN)/zensical build --strict

lock: $(READY) ## pin the versions that .venv has now
	$(BIN)/python tools/lock.py

# What the lock file pins is all there is: nothing is resolved, nothing else is fetched.
$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed, this is " + sys.version.split()[0] + ": make PYTHON=…")'
	@echo "Installing PyTorch and all else that requirements.lock pins into .venv; the first time this takes minutes."
	@test -x $(BIN)/pip || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --requirement requirements.lock
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@
