# The commands of this repository; `make` alone prints them. PKG=torngas-cache narrows where that makes sense.
PORT ?= 8000
PYTHON ?= python3
PKG ?=
BENCH_ARGS ?=
WORKERS ?= 2

python := .venv/bin/python
folders := $(if $(PKG),packages/$(PKG),packages/*)
sources := $(if $(PKG),packages/$(PKG)/src,packages/*/src)
manifests := pyproject.toml poetry.lock $(wildcard packages/*/pyproject.toml)
export PYTHONDONTWRITEBYTECODE :=
unexport VIRTUAL_ENV PYTHONPATH PYTHONHOME
# What the tools download or cache stays inside the checkout.
export PYRIGHT_PYTHON_CACHE_DIR := $(CURDIR)/.cache/pyright
export PYRIGHT_PYTHON_IGNORE_WARNINGS := 1

.DEFAULT_GOAL := help
.PHONY: help run test lint types boundaries unit integration services isolated bench build docs clean lock

help: ## print this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

.venv/.ready: $(manifests) tools/poetry
	@PYTHON="$(PYTHON)" tools/poetry sync --quiet
	@touch $@

run: .venv/.ready ## serve the demo on 127.0.0.1 (PORT=8000)
	@cd packages/torngas/examples/blog && exec $(CURDIR)/$(python) runserver.py --address=127.0.0.1 --port=$(PORT)

test: lint types boundaries services ## everything below, ending with pytest's summary
	$(python) -m pytest -n $(WORKERS) --dist loadgroup $(if $(PKG),packages/$(PKG),packages integration_tests)

lint: .venv/.ready ## ruff: style and format
	$(python) -m ruff check $(if $(PKG),packages/$(PKG),.)
	$(python) -m ruff format --check $(if $(PKG),packages/$(PKG),.)

types: .venv/.ready ## mypy --strict and pyright
	$(python) -m mypy $(wildcard $(sources) $(addsuffix /tests/typing,$(wildcard $(folders))) $(if $(PKG),,integration_tests/typing))
	$(python) -m pyright $(sources)

boundaries: .venv/.ready ## who may know whom
	$(python) tools/check_boundaries $(PKG)

unit: .venv/.ready ## the packages' own tests
	$(python) -m pytest -n $(WORKERS) --dist loadgroup $(folders)

integration: .venv/.ready ## the assembled framework
	$(python) -m pytest -n $(WORKERS) --dist loadgroup integration_tests

services: .venv/.ready ## install the servers that the tests start (Debian, root), where missing
	@$(python) tools/services --install

isolated: .venv/.ready ## each wheel alone, in a fresh virtual environment
	$(python) tools/isolated $(PKG)

.bench-venv/.ready: tools/bench/requirements.txt $(manifests)
	@test -x .bench-venv/bin/python || "$(PYTHON)" -m venv .bench-venv
	@.bench-venv/bin/python -m pip install --quiet --upgrade --upgrade-strategy eager -r tools/bench/requirements.txt
	@touch $@

bench: .bench-venv/.ready ## side by side with the peers (PKG=, BENCH_ARGS="--quick --strict")
	@.bench-venv/bin/python tools/bench $(PKG) $(BENCH_ARGS)

build: .venv/.ready ## wheels and sdists into dist/
	$(python) tools/build $(PKG)

docs: .venv/.ready ## the documentation into dist/docs
	$(python) tools/docs

lock: ## renew poetry.lock after a change of dependencies
	@PYTHON="$(PYTHON)" tools/poetry lock

clean: ## remove what the other targets made
	rm -rf .venv .poetry-venv .bench-venv .docs-venv .cache .hypothesis .pytest_cache dist
	find packages tools integration_tests -name __pycache__ -type d -prune -exec rm -rf {} +
