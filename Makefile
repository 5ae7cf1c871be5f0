# Everything a person or a machine does with a clone. `make help` lists it.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
BIN := .venv/bin
PY := $(BIN)/python
PYTEST := $(PY) -m pytest
SOURCES := models store streams api deploy grafana tests bench
# pytest ends with 5 when a selection holds no test: that is no failure of the selection.
OR_NONE := || [ $$? -eq 5 ]

.PHONY: help setup run test test-quick test-runtime test-faults test-long test-browser test-web tools lint compose-check format pictures loop bench lock clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16 | sed 's/^/  make /'

setup: .venv/.installed ## Make .venv with everything pinned in requirements.lock (does nothing the second time)

.venv/.installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "campus-risk needs Python 3.11 or newer and '$(PYTHON)' is not: install one and name it, as in make setup PYTHON=python3.12." >&2; exit 1; }
	@test -x $(PY) || $(PYTHON) -m venv .venv || { \
	  echo "'$(PYTHON) -m venv' failed: install the venv module of this Python (on Debian the package python3-venv)." >&2; exit 1; }
	@echo "setup: installing into .venv (a minute or two, once)"
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

run: setup ## Start the whole platform with demonstration data: http://127.0.0.1:8000
	@exec $(BIN)/campus-risk up --demo

test: setup tools test-web test-quick test-runtime test-faults test-browser ## Run every test, the quick ones first

test-quick: setup ## Run the tests that need no server
	@$(PYTEST) -m "not runtime and not faults and not browser and not long" $(OR_NONE)

test-runtime: setup ## Run the tests against a real Kafka and PostgreSQL
	@$(PYTEST) -m "runtime and not faults and not browser and not long" $(OR_NONE)

test-faults: setup ## Kill real processes under load and count what was lost
	@$(PYTEST) -m "faults and not browser and not long" $(OR_NONE)

test-long: setup ## Run the long experiments: a city's busy minutes with people and killed processes
	@$(PYTEST) -m long

test-browser: setup tools ## Drive the pages in a real Chromium
	@$(PYTEST) -m browser $(OR_NONE)

test-web: web/node_modules/.installed ## Check the pages' types and run their unit tests
	@cd web && npm run --silent typecheck && npm test --silent -- --passWithNoTests

# The same stamp as deploy/runtime/web.py: the hash of the lock file that was installed.
web/node_modules/.installed: web/package-lock.json
	@command -v npm >/dev/null || { echo "npm was not found: install Node.js 20 or newer with npm." >&2; exit 1; }
	@cd web && npm ci --no-audit --no-fund --silent
	@sha256sum web/package-lock.json | cut -c1-64 > $@

tools: ## Install the Debian packages that tests use: chromium, kcat
	@missing=""; for tool in chromium kcat; do command -v $$tool >/dev/null || missing="$$missing $$tool"; done; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if [ "$$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then \
	  echo "The tests need$$missing: install them (on Debian: sudo apt-get install$$missing), then run this again." >&2; exit 1; fi; \
	echo "tools: installing$$missing"; \
	apt-get update -qq; \
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null

lint: setup ## Check style, types and the direction of imports
	@$(BIN)/ruff check $(SOURCES)
	@$(BIN)/ruff format --check $(SOURCES)
	@$(BIN)/mypy
	@$(BIN)/lint-imports

compose-check: setup ## Check the container and cluster files against their schemas and our own rules: needs no engine
	@$(PYTEST) -q tests/deploy/test_compose.py tests/deploy/test_kustomize.py
	@command -v kustomize kubectl >/dev/null || echo "compose-check: neither kustomize nor kubectl is here, so the overlay was put together by our own reading of it only."

format: setup ## Format the code and sort its imports
	@$(BIN)/ruff check --fix $(SOURCES)
	@$(BIN)/ruff format $(SOURCES)

pictures: setup tools ## Make the pictures and the walkthrough of the docs from the running platform
	@PICTURES=docs/images $(PYTEST) -q -m browser -k "fills_its_screen or judged_while_typing"
	@WALKTHROUGH=docs/walkthrough.md $(PYTEST) -q tests/integration/test_walkthrough.py

loop: setup ## Write docs/loop.md from the table of the loop
	@PYTHONPATH=. $(PY) docs/draw_loop.py

bench: setup ## Run each benchmark: one JSON line each
	@for file in bench/[a-z]*.py; do PYTHONPATH=. $(PY) "$$file"; done

lock: ## Write the lock files anew: pins and hashes, no addresses
	@test -x $(BIN)/uv || { echo "uv makes the lock and is not in .venv: run make setup first." >&2; exit 1; }
	@$(BIN)/uv pip compile pyproject.toml --extra local --group dev --generate-hashes --universal --upgrade \
	  --no-emit-index-url --no-emit-find-links --no-annotate --no-header --quiet -o requirements.lock
	@$(BIN)/uv pip compile pyproject.toml --constraints requirements.lock --generate-hashes --universal \
	  --no-emit-index-url --no-emit-find-links --no-annotate --no-header --quiet -o deploy/locks/run.lock
	@echo hatchling | $(BIN)/uv pip compile - --constraints requirements.lock --generate-hashes --universal \
	  --no-emit-index-url --no-emit-find-links --no-annotate --no-header --quiet -o deploy/locks/build.lock
	@cd web && npm install --package-lock-only --silent && node bare-lock.mjs
	@! grep -n '://' web/package-lock.json || { echo "web/package-lock.json holds an address: remove it." >&2; exit 1; }
	@! grep -nE '://|^-' requirements.lock deploy/locks/*.lock || { echo "A lock of Python packages holds an address or an option: remove it." >&2; exit 1; }

clean: ## Remove .venv, built pages, caches and ALL LOCAL DATA in .local (asks first)
	@read -r -p "Remove .venv, web/node_modules, web/dist, caches and all local data in .local? [y/N] " answer; \
	if [ "$$answer" != y ]; then echo "Nothing was removed."; exit 0; fi; \
	rm -rf .venv .local web/node_modules web/dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .cache; \
	find $(SOURCES) -name __pycache__ -type d -prune -exec rm -rf {} +
