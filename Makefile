# Every target sets up .venv first. `make help` lists them.
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
.SUFFIXES:

BIN := .venv/bin
INSTALL := -m pip install --quiet --disable-pip-version-check --require-hashes --requirement
GENERATED := clients/python/recordings/v1 clients/go/recordings/v1 clients/typescript/src/generated \
	clients/java/src/generated/java
#: What the clients share, and where each has its copy.
DEFAULTS := clients/python/recordings/defaults.json clients/go/defaults.json clients/typescript/src/defaults.json \
	clients/java/src/main/resources/recordings/client/defaults.json
TYPED := $(wildcard recording_service clients/python/recordings clients/conformance tests benchmarks)
#: The contract as published; `make buf` refuses to break it.
IMAGE := protos/recordings.v1.binpb

.PHONY: help setup demo run test test-faults test-clients soak lint format proto proto-check buf buf-image bench lock

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

setup: .venv/.installed ## Fill .venv with the locked dependencies and the project
	@:

.venv/.installed: requirements.lock pyproject.toml
	@echo "Filling .venv (about a minute, once) …"
	@if ! $(BIN)/python -m pip --version >/dev/null 2>&1; then \
		python=$$(scripts/find-python) && "$$python" -m venv --clear .venv; fi
	@$(BIN)/python $(INSTALL) requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

.venv-gen/.installed: requirements-gen.lock
	@echo "Filling .venv-gen (the pinned code generator) …"
	@if ! .venv-gen/bin/python -m pip --version >/dev/null 2>&1; then \
		python=$$(scripts/find-python) && "$$python" -m venv --clear .venv-gen; fi
	@.venv-gen/bin/python $(INSTALL) requirements-gen.lock
	@touch $@

demo: setup ## Show the whole service at work; KEEP=1 leaves it running
	@$(BIN)/recording-service demo $(if $(KEEP),--keep)

run: setup ## Run gRPC, HTTP, dispatcher and workers together
	@$(BIN)/recording-service serve

test: setup ## Run the tests; ARGS="-k name" narrows them
	@$(BIN)/python -m pytest $(ARGS)

test-faults: setup ## Make everything around the service fail: SEEDS=20 SCALE=1 ARGS="flushall", SHORT=1; resumable
	@$(BIN)/python -m tests.faults run $(ARGS) --seeds $(or $(SEEDS),1) --scale $(or $(SCALE),0.1)
	@$(if $(ARGS),,$(BIN)/python -m tests.faults sweep $(if $(SHORT),--stride 3))

test-clients: setup ## Check the clients, each in its own way: LANGUAGES="go java"
	@clients/check $(LANGUAGES)

soak: setup ## Callers of every kind beside a gremlin: MINUTES=30 SEED=1
	@$(BIN)/python -m tests.faults soak --minutes $(or $(MINUTES),30) --seed $(or $(SEED),1)

lint: setup ## Check style and types
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --quiet --check
	@$(BIN)/mypy --no-error-summary $(TYPED)

format: setup ## Put the code into the project's format
	@$(BIN)/ruff check --quiet --fix
	@$(BIN)/ruff format --quiet

.generators/.installed: scripts/java-generators clients/typescript/package-lock.json
	@echo "Fetching the code generators of Java and TypeScript …"
	@scripts/java-generators .generators
	@cd clients/typescript && npm ci --silent --no-audit --no-fund
	@touch $@

proto: setup .venv-gen/.installed .generators/.installed ## Generate every client's code of the contract
	@rm -rf $(GENERATED)
	@scripts/generate-clients .

proto-check: setup .venv-gen/.installed .generators/.installed ## Check that the committed code is what `make proto` makes
	@fresh=$$(mktemp -d) && trap 'rm -rf "$$fresh"' EXIT && scripts/generate-clients "$$fresh" \
		&& for part in $(GENERATED) $(DEFAULTS); do \
			diff --recursive --brief --exclude=__pycache__ "$$fresh/$$part" "$$part" || exit 1; done \
		|| { echo "The committed code differs from the contract: run make proto." >&2; exit 1; }

buf: setup ## Lint the contract; refuse to break the published one
	@$(BIN)/buf lint
	@if [ -f $(IMAGE) ]; then $(BIN)/buf breaking --against $(IMAGE); fi

buf-image: setup ## Record the contract as published
	@$(BIN)/buf build --exclude-source-info --output $(IMAGE)

bench: setup ## Run the benchmarks
	@$(BIN)/python -m benchmarks $(ARGS)

lock: setup ## Resolve the dependencies anew; ARGS=--upgrade moves all of them up
	@scripts/lock pyproject.toml requirements.lock --all-extras $(ARGS)
	@scripts/lock requirements-gen.txt requirements-gen.lock $(ARGS)
