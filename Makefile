# The only list of commands. `make` prints it; every target sets up what it needs.
.DEFAULT_GOAL := help
SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help setup compare up down test test-unit test-integration test-e2e test-containers lint format bench lock clean

help: ## Print this list
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## Create .venv from requirements.lock (every other target does this by itself)

$(READY): requirements.lock pyproject.toml
	@bin/setup $(VENV)
	@touch $@

compare: $(READY) ## Run the main job: start LocalStack, deploy the services, send rides, print what became of them
	@$(BIN)/rydelab compare

up: $(READY) ## Start a lab in the foreground and leave it running until Ctrl-C
	@$(BIN)/rydelab up

down: $(READY) ## Stop a lab that was started with `rydelab up --detach`
	@$(BIN)/rydelab down

test: lint test-unit test-integration test-e2e test-containers ## Run every test and check

test-unit: $(READY) ## Run the tests that need no network (seconds)
	@$(BIN)/pytest tests/unit

test-integration: $(READY) ## Run the tests against embedded labs (two side by side), and the conformance suite
	@$(BIN)/pytest -n 2 --dist loadfile tests/integration tests/conformance

test-e2e: $(READY) ## Run the whole command from a clean clone
	@$(BIN)/pytest -n 2 --dist loadfile tests/e2e

test-containers: $(READY) ## Run the tests of the containers, and integration tests against one (needs Docker)
	@$(BIN)/pytest -n 2 --dist loadfile tests/containers tests/integration --lab container

lint: $(READY) ## Check style and types; changes nothing
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: $(READY) ## Rewrite the code in the project's format
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: $(READY) ## Measure the lab itself and print the figures; ENDPOINT=URL: of one that runs, beside an embedded one
	@$(BIN)/python -m tests.bench $(if $(ENDPOINT),--endpoint $(ENDPOINT))

lock: $(READY) ## Rewrite requirements.lock from pyproject.toml, keeping versions that still fit
	@$(BIN)/uv pip compile pyproject.toml --all-extras --generate-hashes --no-annotate --no-header \
	  --no-emit-index-url --python-version 3.13 --quiet -o requirements.lock

clean: ## Remove .venv, lab data and caches
	@rm -rf $(VENV) .rydelab .mypy_cache .pytest_cache .ruff_cache .hypothesis *.egg-info src/*.egg-info
