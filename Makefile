# Every target works from a fresh clone: it creates .venv and installs what it needs.

PYTHON ?= python3
BIN := .venv/bin
DEMO := .venv/demo.npz
BUNDLED := src/dinogen/pretrained/dinosaurs.npz
BASE := src/dinogen/pretrained/base.npz

# The lists whose names the base does not learn, so that figures on them are honest. To learn all
# names: make pretrained WITHOUT=
WITHOUT ?= $(filter-out $(addprefix corpora/,phonemes.txt sonnets.txt tunes.txt), \
  $(wildcard corpora/*.txt))

.DEFAULT_GOAL := help
.PHONY: help demo test check fix bench torture corpora pretrained dinosaurs clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

demo: .venv/installed ## install, train on the dinosaurs, print seven new names
	$(BIN)/dinogen train corpora/dinosaurs.txt --seed 1 --force -o $(DEMO)
	$(BIN)/dinogen sample $(DEMO) --n 7 --seed 5

test: .venv/developing ## run the tests, one process per core
	$(BIN)/python -m pytest -q -n auto --dist loadfile

check: .venv/developing ## lint, formatting and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

fix: .venv/developing ## fix what the linter and the formatter can
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: .venv/developing ## measure speed and quality side by side
	$(BIN)/python -m tests.bench

torture: .venv/developing ## kill training runs, try broken checkpoints and lists, count the outcomes
	$(BIN)/python -m tests.torture

corpora: .venv/installed ## rebuild the name lists and the other corpora from their sources
	$(BIN)/python corpora/rebuild.py

pretrained: .venv/developing ## train the bundled networks (an hour), and draw the pictures of the README
	$(BIN)/python corpora/base.py list .venv/base.txt --without $(WITHOUT)
	$(BIN)/dinogen train .venv/base.txt --from none --cell lstm --layers 2 --hidden 256 --order 0 \
	  --epochs 18 --patience 200 --seed 1 --force -o .venv/base.npz
	$(BIN)/python corpora/base.py pack .venv/base.npz $(BASE)
	$(MAKE) dinosaurs

dinosaurs: .venv/developing ## train the bundled dinosaurs alone, and draw the pictures
	$(BIN)/dinogen train corpora/dinosaurs.txt --seed 1 --force -o $(BUNDLED)
	$(BIN)/dinogen inspect $(BUNDLED) --force --export tests/pictures/summary.svg
	$(BIN)/dinogen inspect $(BUNDLED) --force --next tyr --export tests/pictures/next.svg

clean: ## remove everything that the other targets created
	rm -rf .venv build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/installed: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

.venv/developing: .venv/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@
