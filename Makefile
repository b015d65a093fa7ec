# Two commands do everything: `make demo` and `make test`. `make help` lists the rest.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip --disable-pip-version-check -q install --require-hashes
RUN := $(VENV)/.run
DEV := $(VENV)/.dev

.PHONY: help demo test debian check format trust-table bench lock clean mutants conformance selftest selftest-full

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(RUN): requirements.txt
	@echo "[1/2] making the environment in $(VENV) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "[2/2] installing what the gateway needs to run (hash-pinned) ..."
	@$(PIP) -r requirements.txt
	@touch $@

$(DEV): $(RUN) requirements-dev.txt
	@echo "installing the tools for checks and tests (hash-pinned) ..."
	@$(PIP) -r requirements-dev.txt
	@$(BIN)/pip --disable-pip-version-check -q install --no-deps --no-build-isolation -e .
	@touch $@

demo: $(RUN) ## three trucks through two gateways; DOCS=folder takes your own documents
	@$(BIN)/python -m gateway demo $(if $(DOCS),--docs "$(DOCS)")

test: check debian ## all checks and tests
	$(BIN)/python -m pytest -n 2 --dist worksteal

debian: ## install what the tests need of the system (SoftHSM), where it is absent
	@tests/debian.sh

check: $(DEV) ## lint, types, layers, mapping tables
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m gateway map check

format: $(DEV) ## format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

trust-table: $(DEV) ## write docs/trust.md from the tests that prove it, when they pass
	$(BIN)/python -m pytest -q -m proves -n 2 --dist worksteal --trust-table write

mutants: $(DEV) ## turn each guard of recognition off: some property must fail
	$(BIN)/python tests/recognition/recognition_guards.py

bench: $(DEV) ## the table of ratios against python-xmlsec and the naive stack
	$(BIN)/python -m benchmarks

lock: ## pin requirements anew (needs uv on the path)
	uv pip compile --python-version 3.11 --generate-hashes -q requirements.in -o requirements.txt --custom-compile-command "make lock"
	uv pip compile --python-version 3.11 --generate-hashes -q requirements-dev.in -o requirements-dev.txt --custom-compile-command "make lock"

clean: ## remove what was made here
	rm -rf $(VENV) .demo .mypy_cache .ruff_cache .pytest_cache .hypothesis

conformance: $(DEV) ## the suite against our gateway, side vn and side cn; reports in .conformance/
	$(BIN)/python tests/conformance/our_gateway.py cn --out .conformance/cn
	$(BIN)/python tests/conformance/our_gateway.py vn --out .conformance/vn

selftest: $(DEV) ## each wrong peer against the cases that name it, and a sample of the others
	$(BIN)/python -m conformance selftest

selftest-full: $(DEV) ## each wrong peer against all cases (long)
	$(BIN)/python -m conformance selftest --sample -1
