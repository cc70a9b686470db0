# EmoDistill: the commands. `make help` lists them.
PYTHON ?= python3
NODES ?= 1
VENV := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help install model demo reference bench test test-fast coverage mutants lint docs slurm slurm-down

help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1|/' | awk -F'|' '{printf "  make %-12s %s\n", $$1, $$2}'

install: ## create .venv with pinned dependencies (about 4 GB); repeats only what is missing
	@PYTHON=$(PYTHON) scripts/install.sh

model: install ## fetch the embedded language models (SmolLM2-135M, 93 MB, and a tiny random one for tests)
	@$(VENV)/emodistill models fetch >/dev/null

demo: model ## the whole pipeline on real parts, 2 cores, to results/demo; prints the main table
	@$(VENV)/emodistill run yaml/demo.yaml

reference: demo ## results/reference/demo anew, from results/demo (runs the demo first where it is not finished)
	@$(VENV)/python -m jobs.reference results/demo results/reference/demo --command "emodistill run yaml/demo.yaml"

bench: model ## measure everything, an hour and more on a quiet machine, to results/reference/bench.json and .md
	@$(VENV)/python -m jobs.bench.reference

test: model ## the whole test suite: real vLLM, DeepSpeed, Slurm and Chromium (as root on Debian)
	@$(VENV)/lint-imports --no-logo
	@$(VENV)/ruff check --quiet . && $(VENV)/ruff format --quiet --check .
	@$(VENV)/mypy --no-error-summary
	@scripts/test.sh

test-fast: install ## unit tests only, some minutes
	@$(VENV)/python -m pytest -m "not slow and not vllm and not deepspeed and not slurm and not browser"

coverage: model ## lines and branches that the whole suite runs through, an hour and more
	@$(VENV)/python -m pip install -qq -c requirements/cpu.txt coverage==7.17.5
	@$(VENV)/coverage erase; $(VENV)/coverage run -m pytest; $(VENV)/coverage combine -q; $(VENV)/coverage report --skip-covered

mutants: install ## changes to rewards, agreement and losses that their tests do not notice, some minutes
	@$(VENV)/python -m pip install -qq -c requirements/cpu.txt mutmut==3.8.1
	@$(VENV)/mutmut run && $(VENV)/mutmut results

lint: install ## style, types and import contracts
	@$(VENV)/ruff check . && $(VENV)/ruff format --check . && $(VENV)/mypy && $(VENV)/lint-imports --no-logo

docs: install ## write docs/configuration.md again from the schema
	@$(VENV)/emodistill config > docs/.configuration.md && mv docs/.configuration.md docs/configuration.md

slurm: ## bring up a private Slurm on this machine (root, Debian); NODES=2 gives it two nodes
	@slurm/dev/up.sh $(NODES)

slurm-down: ## stop it
	@slurm/dev/down.sh
