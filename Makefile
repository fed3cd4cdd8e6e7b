# Every target works from a fresh clone: they make .venv and install what they need.

PYTHON ?= python3
BIN := .venv/bin
DEMO := .venv/demo.npz
BUNDLED := src/dinogen/pretrained/dinosaurs.npz

.DEFAULT_GOAL := help
.PHONY: help demo test check fix bench torture corpora pretrained clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

demo: .venv/installed ## install, train on the dinosaurs, print seven new names
	$(BIN)/dinogen train corpora/dinosaurs.txt --seed 1 --force -o $(DEMO)
	$(BIN)/dinogen sample $(DEMO) --n 7 --seed 5

test: .venv/developing ## run the tests
	$(BIN)/python -m pytest -q

check: .venv/developing ## lint, formatting and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

fix: .venv/developing ## mend what the linter and the formatter can
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: .venv/developing ## measure speed, side by side in one run
	$(BIN)/python -m tests.bench

torture: .venv/developing ## kill training runs; break checkpoints and lists; count what comes of it
	$(BIN)/python -m tests.torture

corpora: .venv/installed ## build the name lists again from their sources
	$(BIN)/python corpora/rebuild.py

pretrained: .venv/developing ## train the bundled checkpoint, and draw the README's pictures with it
	$(BIN)/dinogen train corpora/dinosaurs.txt --seed 1 --force -o $(BUNDLED)
	$(BIN)/dinogen inspect $(BUNDLED) --force --export tests/pictures/summary.svg
	$(BIN)/dinogen inspect $(BUNDLED) --force --next tyr --export tests/pictures/next.svg

clean: ## remove what the other targets made
	rm -rf .venv build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/installed: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

.venv/developing: .venv/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@
