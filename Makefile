# Everything sets itself up: `make repro` and `make test` need Python 3.11 (or 3.12, 3.13), make and nothing activated.
SHELL := /bin/bash
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# Seconds between two lines while pip is at work.
SETUP_SAYS_EVERY := 15
# with what only tests and checks of the code need
DEVELOP := $(VENV)/.develop
# `make setup TORCH=cpu`: PyTorch without CUDA, some 4.4 GB less; an environment keeps what it was made with.
# TORCH_INDEX: where PyTorch's own builds are, or a mirror of it.
TORCH_KEPT := $(VENV)/.torch
TORCH_THERE := $(shell cat $(TORCH_KEPT) 2>/dev/null)
TORCH ?= $(or $(TORCH_THERE),cuda)
TORCH_INDEX ?= https://download.pytorch.org/whl
TORCH_FROM := $(if $(filter cpu,$(TORCH)),--extra-index-url $(TORCH_INDEX)/cpu)
SIZE := $(if $(filter cpu,$(TORCH)),2.2 GB,6.6 GB)
ifeq ($(filter cpu cuda,$(TORCH)),)
$(error TORCH=$(TORCH): expected cpu or cuda)
endif
ifneq ($(TORCH),$(or $(TORCH_THERE),$(TORCH)))
$(error TORCH=$(TORCH): the environment in $(VENV) has PyTorch for $(TORCH_THERE); remove it first: rm -r $(VENV))
endif
# The stages call `python`: the environment's own comes first, whatever is activated.
export PATH := $(CURDIR)/$(BIN):$(PATH)
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV
export DVC_NO_ANALYTICS := 1
export OMP_NUM_THREADS ?= 2

.PHONY: help setup repro figures test test-fast lint format deps clean

help:  ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/' | expand -t 12

setup: $(READY)  ## make the environment in .venv (two minutes, 6.6 GB; TORCH=cpu: 2.2 GB, no CUDA)

# pip says nothing for minutes, or too much: a line every while with what is there. $(1): what to install.
define install
	@echo "Installing the packages of constraints.txt into $(VENV), some $(SIZE):"
	@while sleep $(SETUP_SAYS_EVERY) && kill -0 $$$$ 2>/dev/null; do echo "  $$(du -sh $(VENV) | cut -f1) after $$SECONDS s"; done & \
	  says=$$!; $(BIN)/python -m pip install --quiet --disable-pip-version-check $(TORCH_FROM) --constraint constraints.txt --editable $(1); \
	  done=$$?; kill $$says 2>/dev/null; exit $$done
endef

$(READY): pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || { echo "No $(PYTHON) here. Install Python 3.11 or name one: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || { echo "$(PYTHON) is not Python 3.11, 3.12 or 3.13: make PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(call install,'.[pipeline]')
	@echo $(TORCH) > $(TORCH_KEPT)
	@touch $(READY)

$(DEVELOP): $(READY)
	$(call install,'.[dev]')
	@touch $(DEVELOP)

# A release archive has no .git: DVC then keeps its cache without git, and says so each time.
.PHONY: git-or-not
git-or-not:
	@if [ "$$(git rev-parse --show-toplevel 2>/dev/null)" = "$$(pwd -P)" ]; then \
	  if grep -qs no_scm .dvc/config.local; then sed -i '/no_scm/d' .dvc/config.local; fi; \
	else \
	  echo "No git repository here (a release archive?): DVC runs without git. 'dvc exp' and sharing need 'git init' first."; \
	  grep -qs no_scm .dvc/config.local || printf '[core]\n    no_scm = true\n' >> .dvc/config.local; \
	fi

repro: $(READY) git-or-not  ## render the demo corpora, run the pipeline, print where the report is
	@$(BIN)/emobed check  # DVC has no words for a run.corpora that is no list
	@$(BIN)/dvc repro

figures: $(DEVELOP) repro  ## run the pipeline and make the figures that README and docs show (needs Chromium)
	@$(BIN)/python docs/figures.py

# Whole files, so that what a file's tests share is made once, in the order of tests/conftest.py: long ones first.
SPREAD := -n 2 --dist loadfile --no-loadscope-reorder

test: $(DEVELOP)  ## all tests (some 15 minutes on 2 cores)
	@$(BIN)/python -m pytest $(SPREAD)

test-fast: $(DEVELOP)  ## tests without the slow end-to-end ones
	@$(BIN)/python -m pytest $(SPREAD) -m "not slow"

lint: $(DEVELOP)  ## ruff and mypy
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: $(DEVELOP)  ## let ruff format and sort
	@$(BIN)/ruff check --fix-only .
	@$(BIN)/ruff format .

deps: $(DEVELOP)  ## write each stage's imports into dvc.yaml
	@$(BIN)/python -m tests.stage_imports --write

clean:  ## remove the environment, outputs, rendered media and finished units (not the DVC cache)
	rm -rf $(VENV) .emobed data/raw/demo_* data/certainty data/features data/labels data/models data/parameters data/predictions data/recognisers data/reports
	rm -rf .pytest_cache .mypy_cache .ruff_cache build *.egg-info
