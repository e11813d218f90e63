# Every target prepares .venv first; what is already there is not touched again, and pip is not called.
SHELL := bash
.NOTPARALLEL:
.DEFAULT_GOAL := help

PORT ?= 8501
GPU ?=
PYTHON ?=
ARGS ?=
export PYTHON

BIN := .venv/bin
STAMPS := .venv/.stamps

ifneq ($(GPU),$(firstword $(filter cuda metal vulkan cpu,$(GPU))))
$(error GPU=$(GPU) is not known: write GPU=cuda, GPU=metal or GPU=vulkan, or leave it out)
endif

.PHONY: help install engine run test check browser bench

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "  PORT=8600                 another port for the dashboard (default 8501)"
	@echo "  GPU=cuda|metal|vulkan     compile the local engine for a GPU; it stays until GPU=cpu or another is named"
	@echo "  ARGS='-k costs -x'        passed on to pytest"
	@echo "  PYTHON=/path/to/python    the Python that .venv is made from (3.11 or newer)"

install: runtime engine $(STAMPS)/demo $(STAMPS)/dev ## prepare .venv and stop there

run: runtime engine $(STAMPS)/demo ## start the dashboard at http://127.0.0.1:8501
	@$(BIN)/python -m llmcompare serve --port $(PORT)

# Two processes and no more: many tests start workers with threads of their own.
test: install ## run the tests, without the browser ones
	@$(BIN)/python -m pytest -n 2 --dist loadfile $(ARGS)

check: runtime $(STAMPS)/dev ## lint, format, types and import rules
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m mypy
	$(BIN)/lint-imports --no-logo

browser: install ## run the browser tests (needs chromium)
	@$(BIN)/python -m pytest -m browser tests/e2e $(ARGS)

bench: install ## run every benchmarks/bench_*.py
	@for script in benchmarks/bench_*.py; do \
	  test -e "$$script" || { echo "There is no benchmarks/bench_*.py yet."; exit 1; }; \
	  echo "== $$script"; $(BIN)/python "$$script" || exit 1; \
	done

# The engine is a step of its own: without it the app starts and says what is missing.
.PHONY: runtime
runtime: $(STAMPS)/runtime

engine: runtime
	@.ci/install.sh engine "$(GPU)"

$(STAMPS)/runtime: requirements.txt
	@.ci/install.sh runtime

$(STAMPS)/demo: requirements-demo.txt | runtime
	@.ci/install.sh demo

$(STAMPS)/dev: requirements-dev.txt | runtime
	@.ci/install.sh dev
