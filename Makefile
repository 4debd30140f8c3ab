# Every target runs in .venv, which is made here from pyproject.toml.

PYTHON ?= python3
PYTHONS ?= python3.11 python3.12 python3.13 python3.14 /usr/bin/python3 \
  $(wildcard $(shell pyenv root 2>/dev/null)/versions/*/bin/python3)
VERSION := import platform, sys; sys.version_info < (3, 11) and sys.exit(1); print(platform.python_version())
JOBS ?= 2
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
DEMO := build/demo/main.beancount
EDIT := sed -i 's/^\(2024-12-05T12:00:00Z\),[^,]*/\1,0.05/' build/demo/rates/usdc.csv

.PHONY: check test pythons demo golden screenshots bench soak browser

check: $(READY)
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy src plugins tests bench
	$(BIN)/pytest -n $(JOBS)

test: browser check

# Each release once, in an environment of its own.
pythons: browser
	@for python in $(PYTHONS); do \
	  version=$$($$python -c '$(VERSION)' 2>/dev/null) || continue; \
	  case " $$ends" in *" $$version "*) continue; esac; \
	  echo "Python $$version:"; \
	  $(MAKE) check VENV=.venv-$$version PYTHON=$$python && end=passed || end=failed; \
	  ends="$$ends$$version $$end "; \
	done; \
	printf '%s: %s\n' $${ends:-"Python 3.11 or later" "not found"}; \
	case $${ends:-failed} in *failed*) exit 1; esac

demo: export PATH := $(CURDIR)/$(BIN):$(PATH)
demo: $(READY)
	@rm -rf build/demo
	@$(call say,Three months of a margin account at real rates and prices. Write them and check them:)
	@$(call run,usance demo build/demo)
	@$(call run,usance check $(DEMO))
	@$(call say,What is it worth and how near is danger?)
	@$(call run,usance status $(DEMO))
	@$(call say,What did January bring to Main? It lends and bought SOL on credit:)
	@$(call run,usance statement $(DEMO) --month 2025-01 --sub-account Main)
	@$(call say,Where does a figure come from? The interest of one day:)
	@$(call run,usance explain $(DEMO) lending/2025-01-08/Arb | sed '/^4/Q')
	@$(call say,So far nothing is stored. Write the days into files and seal them:)
	@$(call run,usance accrue $(DEMO) --through 2025-02-28 | head -1)
	@$(call run,usance verify $(DEMO))
	@$(call say,The rate of a closed hour of December was wrong. The difference is posted on the next day:)
	@$(call run,$(EDIT))
	@$(call run,usance accrue $(DEMO) --correct --through 2025-03-01 --reason 'Rate of 5 December')
	@$(call say,Now look (Wild was liquidated on 24 February):  $(BIN)/usance fava $(DEMO))
	@printf '%s\n' "Then begin your own:  $(BIN)/usance init books"

golden: $(READY)
	$(BIN)/python tests/support/golden_ledgers.py
	git --no-pager diff -- tests/golden
	git status --short -- tests/golden

screenshots: browser $(READY)
	$(BIN)/python tests/support/pictures.py
	git status --short -- docs/pictures

bench: $(READY)
	$(BIN)/python bench/run.py

soak: $(READY)
	HYPOTHESIS_PROFILE=soak $(BIN)/pytest tests/laws tests/close/test_month_text.py
	$(BIN)/pytest -m soak
	$(BIN)/python -m pip install -qq --editable '.[soak]'
	rm -rf mutants
	nice $(BIN)/mutmut run --max-children $(JOBS)
	$(BIN)/python tests/support/mutants_page.py

# The browser tests need a Chromium, and are skipped with a reason where there is none.
browser:
	@command -v chromium >/dev/null 2>&1 || { \
	  if command -v apt-get >/dev/null 2>&1 && [ "$$(id -u)" = 0 ]; then \
	    echo "Installing chromium for the browser tests."; \
	    { apt-get -qq update && DEBIAN_FRONTEND=noninteractive \
	      apt-get -qq install -y --no-install-recommends chromium; } >/dev/null 2>&1 \
	      || echo "chromium could not be installed: the browser tests are skipped."; \
	  else \
	    echo "No chromium found: the browser tests are skipped."; \
	  fi; }

# If PYTHON is named and .venv has another release, .venv is made again.
ifneq ($(origin PYTHON),file)
ifneq ($(shell $(PYTHON) -V 2>/dev/null),$(shell $(BIN)/python -V 2>/dev/null))
.PHONY: $(READY)
CLEAR := --clear
endif
endif

$(READY): pyproject.toml
	@$(PYTHON) -c '$(VERSION)' >/dev/null || { \
	  echo "Usance needs Python 3.11 or later, and $(PYTHON) is older or missing." \
	    "Name another one: make PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv $(CLEAR) $(VENV)
	@echo "Installing what pyproject.toml names into $(VENV)."
	@$(BIN)/python -m pip install -qq --editable '.[dev]'
	@touch $@

say = printf '\n%s\n' "$(1)"
run = printf '$$ %s\n' "$(1)"; $(1)
