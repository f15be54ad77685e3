# The two commands of the README, and what is run before a change is sent.
#
# .venv is made once; the stamps in it tell what has been installed, so a second run starts at once.

# make demo LISTEN=127.0.0.1:9090   where port 8080 is taken
# make demo PYTHON=/opt/python3.12  to choose the interpreter
LISTEN ?=
PYTHON ?=
JOBS ?= 2
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install -qq --constraint constraints.txt

.DEFAULT_GOAL := help
.PHONY: help demo test check format fast litmus bench bench-files bench-boards conformance programs lock clean

help: ## Say what can be made
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/^([a-z-]+):.*## (.*)/make \1\t\2/' | expand -t 20

demo: .venv/installed ## Serve the example association from ./demo and print what to type into which client
	@$(BIN)/davserver demo demo $(if $(LISTEN),--listen $(LISTEN))

test: .venv/installed-for-tests programs ## Install what the tests need and run them all
	@$(BIN)/python -m pytest -n $(JOBS) $(PYTEST_ARGS)

check: .venv/installed-for-tests programs fast ## All that must be green: format, lint, types, import ladder, tests
	$(BIN)/python -m pytest -n $(JOBS) $(PYTEST_ARGS)

fast: .venv/installed-for-tests ## The half of `make check` that takes seconds
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv/installed-for-tests ## Put the code into shape
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

litmus: .venv/installed-for-tests programs ## The WebDAV test suite of the neon authors alone
	$(BIN)/python -m pytest -v tests/interop/test_litmus.py

# make bench BENCH_ARGS='--sizes 1000,10000 --json result.json'; all of it: docs/benchmarks.md
bench: .venv/installed .venv-peers/installed ## Measure calendars and contacts beside Radicale, 1,000 items each
	$(BIN)/python -m benchmarks --servers davserver,radicale $(BENCH_ARGS)

conformance: .venv/installed-for-tests ## Write docs/conformance.md anew from the marks on the tests
	$(BIN)/python -m tests.conformance_page

bench-files: .venv/installed ## Measure the drive beside stock WsgiDAV
	$(BIN)/python -m benchmarks.files $(BENCH_ARGS)

bench-boards: .venv/installed ## Measure boards beside task lists
	$(BIN)/python -m benchmarks.boards $(BENCH_ARGS)

programs:
	@.ci/programs

lock: .venv/made ## Write constraints.txt anew with the newest releases that pyproject.toml allows
	.ci/lock

clean: ## Remove what was built; the data in ./demo stays
	rm -rf .venv .venv-peers build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/made: .ci/environment
	@PYTHON="$(PYTHON)" .ci/environment
	@touch $@

.venv/installed: .venv/made pyproject.toml constraints.txt
	@echo "Installing into .venv (the first time takes a minute) …"
	@$(PIP) --editable .
	@touch $@

.venv/installed-for-tests: .venv/made pyproject.toml constraints.txt
	@echo "Installing into .venv what the tests need …"
	@$(PIP) --editable '.[dev]'
	@touch $@ .venv/installed

.venv-peers/installed: .venv/made benchmarks/requirements.txt
	@echo "Installing into .venv-peers the servers to compare with …"
	@$(BIN)/python -m venv .venv-peers
	@.venv-peers/bin/pip --disable-pip-version-check install -qq --requirement benchmarks/requirements.txt
	@touch $@
