# A newcomer needs `make demo` and `make test`; `make help` lists the parts. They prepare what they
# need: the environment .venv, with pip, and the Pulumi engine, with tools/engine.py.

# The interpreter that makes .venv, and how many tests run at once.
PYTHON ?= python3
WORKERS ?= 2
# Tests on the engine wait more than they work.
ENGINE_WORKERS ?= 3
# Which other Pythons the upgrade tests run under: the oldest and the newest found, or --all.
OTHER_PYTHONS ?=
# How `make chaos` ends, and with what it begins: --minutes 20, --rounds 3, --seed 7, --only kills.
CHAOS ?= --rounds 1
# What `make bench` measures, all by default: --only waiting, --quick (writes nothing), --render.
BENCH ?=

VENV_PYTHON := .venv/bin/python
# Neighbours stay together, so that few fixtures of modules are made twice.
PYTEST = $(VENV_PYTHON) -m pytest --dist worksteal --numprocesses

# Installed is what these files say, in this folder: other contents, another stamp.
CONTENTS := $(shell (pwd; cat pyproject.toml constraints.txt) | cksum | cut -d ' ' -f 1)
INSTALLED := .venv/.installed-$(CONTENTS)

# pip takes constraints for what is installed and for what builds it under two names; old versions
# apply the first to both.
PINNED := PIP_CONSTRAINT=constraints.txt PIP_BUILD_CONSTRAINT=constraints.txt PIP_USE_PEP517=1 \
	PIP_DISABLE_PIP_VERSION_CHECK=1
PIP = $(PINNED) $(VENV_PYTHON) -m pip

# Tests and the demo see nothing of the user's cloud accounts, Pulumi settings, vaults and proxies.
PRIVATE := ADBPG_ENDPOINT $(filter ALIBABA_CLOUD_% ALIBABACLOUD_% ALICLOUD_% OTEL_% PULUMI_% TRACEPARENT TRACESTATE VAULT_% %_proxy %_PROXY,$(.VARIABLES))
# They start Python a thousand times, which is not to compile the same modules each time.
PRIVATE += PYTHONDONTWRITEBYTECODE
ISOLATED := env $(foreach name,$(PRIVATE),-u $(name)) ALIBABA_CLOUD_ECS_METADATA_DISABLED=true

# A Python script on the engine, which is found or fetched first.
ON_ENGINE = engine=$$($(VENV_PYTHON) tools/engine.py) && \
	$(ISOLATED) ADBPG_ENGINE="$$engine" $(VENV_PYTHON)

# $(call patiently,COMMAND): up to three attempts, since a registry may answer badly.
patiently = for attempt in 1 2 3; do \
	$(1) && break; \
	[ $$attempt -lt 3 ] || exit 1; \
	echo "That failed, maybe on the way to the registry; again in 10 s." >&2; sleep 10; done

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s%s\n", $$1, $$2 }' Makefile

.PHONY: demo
demo: $(INSTALLED) ## Show the life of a model service: a simulated cloud, the real engine
	@$(ON_ENGINE) examples/demo.py

# Options of `make acceptance`: --yes, and what else docs/acceptance.md names.
ACCEPTANCE ?=

# With the user's cloud accounts and proxies: it is about them. Pulumi's settings are its own.
.PHONY: acceptance
acceptance: $(INSTALLED) ## The same life in your own cloud account: docs/acceptance.md
	@env $(foreach name,$(filter PULUMI_%,$(.VARIABLES)),-u $(name)) \
		$(VENV_PYTHON) examples/acceptance.py $(ACCEPTANCE)

# The engine's tests wait more than they work: beside them runs all the rest, one after the other.
# Each part shows what it has to say when it ends. (The make of macOS cannot: one after the other.)
PARTS := engine-tests ruff imports mypy pyright packaging chaos-sample unit
TOGETHER := $(if $(filter output-sync,$(.FEATURES)),--jobs 2 --output-sync=target)

.PHONY: test
test: $(INSTALLED) ## All that must be clean: lint, tests, a sample of chaos
	@$(MAKE) --no-print-directory $(TOGETHER) $(PARTS)

.PHONY: setup
setup: $(INSTALLED) ## Make .venv and install everything into it

.PHONY: engine
engine: $(INSTALLED) ## Find the Pulumi engine, or fetch it, and print its path
	@$(VENV_PYTHON) tools/engine.py

.PHONY: lint ruff mypy imports pyright
lint: ruff mypy imports pyright ## Style, types and the direction of imports

ruff: $(INSTALLED)
	$(VENV_PYTHON) -m ruff check
	$(VENV_PYTHON) -m ruff format --check

mypy: $(INSTALLED)
	$(VENV_PYTHON) -m mypy --strict

imports: $(INSTALLED)
	$(VENV_PYTHON) .venv/bin/lint-imports

pyright: $(INSTALLED)
	$(VENV_PYTHON) -m pyright --pythonpath $(VENV_PYTHON)

.PHONY: format
format: $(INSTALLED) ## Format the code and mend what ruff can mend
	$(VENV_PYTHON) -m ruff check --fix
	$(VENV_PYTHON) -m ruff format

.PHONY: unit
unit: $(INSTALLED) ## The tests that need no engine
	$(ISOLATED) $(PYTEST) $(WORKERS) --ignore tests/engine --ignore tests/packaging

# With the machine's proxies, since pip asks the registry; what it installs is tested without them.
.PHONY: packaging
packaging: $(INSTALLED) ## Build wheel and sdist, check them, run an example with the wheel alone
	@if engine=$$($(VENV_PYTHON) tools/engine.py); then \
		ADBPG_ENGINE="$$engine" $(VENV_PYTHON) -m pytest tests/packaging; \
	elif [ -n "$$ADBPG_REQUIRE_ENGINE" ]; then exit 1; \
	else $(VENV_PYTHON) -m pytest tests/packaging; fi

.PHONY: dist
dist: $(INSTALLED) ## Build wheel and sdist into dist, check them, try the wheel in a clean environment
	rm -rf dist
	@$(call patiently,$(PINNED) $(VENV_PYTHON) -m build)
	$(VENV_PYTHON) -m twine check --strict dist/*
	@clean=$$(mktemp -d) && trap 'rm -rf "$$clean"' EXIT && \
		$(VENV_PYTHON) -m venv "$$clean" && \
		{ $(call patiently,$(PINNED) "$$clean/bin/pip" install --quiet dist/*.whl); } && \
		cd "$$clean" && bin/pulumi-adbpg-model --version

.PHONY: matrix
matrix: $(INSTALLED) ## The tests that need no engine, on other Pythons and with lowest versions
	WORKERS=$(WORKERS) $(VENV_PYTHON) -m nox

.PHONY: engine-tests
engine-tests: $(INSTALLED) ## The tests on the real engine
	@if engine=$$($(VENV_PYTHON) tools/engine.py); then \
		others=$$($(VENV_PYTHON) tools/pythons.py $(OTHER_PYTHONS)) || \
			[ -z "$$ADBPG_REQUIRE_ENGINE" ] || exit 1; \
		$(ISOLATED) ADBPG_ENGINE="$$engine" ADBPG_OTHER_PYTHONS="$$others" \
			$(PYTEST) $(ENGINE_WORKERS) tests/engine; \
	elif [ -n "$$ADBPG_REQUIRE_ENGINE" ]; then exit 1; \
	else echo "The tests that need the engine were left out."; fi

.PHONY: chaos chaos-sample
chaos: $(INSTALLED) ## Kills, faults and strange clouds at length; CHAOS="--minutes 20" and the like
	@$(ON_ENGINE) -m tests.chaos --workers $(WORKERS) $(CHAOS)

chaos-sample: $(INSTALLED)
	@if engine=$$($(VENV_PYTHON) tools/engine.py); then \
		$(ISOLATED) ADBPG_ENGINE="$$engine" $(VENV_PYTHON) -m tests.chaos --workers $(WORKERS) \
			--quick --seed 1; \
	elif [ -n "$$ADBPG_REQUIRE_ENGINE" ]; then exit 1; \
	else echo "Chaos needs the engine and was left out."; fi

.PHONY: bench
bench: $(INSTALLED) ## Measure what docs/performance.md says; BENCH="--only waiting" and the like
	@$(ON_ENGINE) -m bench $(BENCH)

.PHONY: size
size: $(INSTALLED) ## Count lines, and the files that one create crosses
	@$(ISOLATED) $(VENV_PYTHON) tools/size.py

.PHONY: pictures
pictures: $(INSTALLED) ## Draw docs/images anew: a real `pulumi up`, and the simulator's page in Chromium
	@$(ON_ENGINE) tools/picture.py
	$(ISOLATED) $(VENV_PYTHON) tools/console_picture.py

.PHONY: clean
clean: ## Remove .venv and what tools left behind; the engine stays in its cache
	rm -rf .venv .hypothesis .import_linter_cache .mypy_cache .nox .pytest_cache .ruff_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# What follows is not for the command line.

.PHONY: python
python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null || { \
		echo "Python 3.10 or newer is needed; name yours with: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { \
		echo "$(PYTHON) cannot make environments: install its venv package (on Debian: python3-venv)." >&2; \
		exit 1; }

$(INSTALLED): | python
	@echo "Installing the pinned dependencies into .venv (about a minute the first time)." >&2
	@$(PYTHON) -m venv .venv
	@$(call patiently,$(PIP) install --quiet --editable '.[dev]')
	@# It works, but says that it needs an older protobuf than the rest here.
	@$(call patiently,$(PIP) install --quiet --no-deps pulumi-policy)
	@rm -f .venv/.installed-* && touch $@
