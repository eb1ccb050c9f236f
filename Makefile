# Everything a newcomer or CI needs; `make` alone lists the targets.
PYTHON ?= python3
UV := .venv/bin/uv
RUN := .venv/bin/
SYNC := VIRTUAL_ENV= UV_PROJECT_ENVIRONMENT=.venv $(UV) sync --frozen --inexact --compile-bytecode --quiet

# Two files at a time; the order is that of tests/conftest.py.
PYTEST := $(RUN)python -m pytest -n auto --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.venv/.installed: pyproject.toml uv.lock
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' \
		|| { echo "Leadline needs Python 3.11 to 3.14; $(PYTHON) is $$($(PYTHON) --version 2>&1). Try: make PYTHON=python3.12 …"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null \
		|| { echo "This Python has no venv. On Debian or Ubuntu: sudo apt-get install python3-venv"; exit 1; }
	@test -x .venv/bin/python || { echo "making .venv …"; $(PYTHON) -m venv .venv; }
	@test -x $(UV) || { echo "installing uv into .venv …"; .venv/bin/python -m pip install --quiet --disable-pip-version-check uv; }
	@echo "installing Leadline from uv.lock …"
	@# A company's own certificates are known to the system, not to uv: the second try asks there.
	@$(SYNC) 2>/dev/null || $(SYNC) --system-certs
	@touch $@

.PHONY: install
install: .venv/.installed ## make .venv and install from uv.lock

.PHONY: demo
demo: .venv/.installed ## the main job with nothing to configure: a whole organisation on 127.0.0.1:8501
	@$(RUN)leadline demo

.PHONY: test
test: .venv/.installed ## run the tests that need nothing but Python and git
	@$(PYTEST) -m "not (browser or node or java or tool)"

.PHONY: check
check: .venv/.installed ## format, lint, types, graph loads, tests: what to run before a commit
	@$(RUN)ruff format --check .
	@$(RUN)ruff check .
	@$(RUN)mypy
	@$(MAKE) --no-print-directory graph
	@$(PYTEST) -m "not (browser or node or java or tool)"

.PHONY: format
format: .venv/.installed ## format and mend what ruff can mend
	@$(RUN)ruff format .
	@$(RUN)ruff check --fix .

.PHONY: graph
graph: .venv/.installed ## load the Dagster graph as Dagster does
	@$(RUN)dagster definitions validate -m pipelines.definitions --log-level warning

.PHONY: docs
docs: .venv/.installed ## write the generated parts of docs/ and leadline.example.toml anew
	@$(RUN)python -m pipelines.documentation
	@$(RUN)python -m pipelines.example_settings > leadline.example.toml

.PHONY: bench
bench: .venv/.installed ## measure speed, memory, requests and intervals; prints a table
	@$(RUN)python -m benchmarks

.PHONY: clean
clean: ## remove .venv and caches; your data in .leadline/ stays
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache
