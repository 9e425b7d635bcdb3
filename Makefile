# Needs Python 3.11 or newer with venv, and nothing else. `make help` tells what there is.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PIP := .venv/bin/python -m pip --disable-pip-version-check install --quiet
COMPILE := .venv/bin/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --quiet \
    --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" $(if $(UPGRADE),--upgrade)

# The programs of an environment hold its path: one that came along with a copied folder is made anew.
$(shell test "$$(cat .venv/place 2>/dev/null)" = "$$(pwd)" || rm -f .venv/place .venv/runtime .venv/development)

ifdef PORT
export PARALLAX_PORT := $(PORT)
endif

.PHONY: help run test fuzz cases bench chaos lint image docs sdl lock audit clean

help: ## Tell what there is to make
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 16

run: .venv/runtime ## Serve the demo world on 127.0.0.1:8000 (PORT=… for another)
	@.venv/bin/parallax serve --end-with-parent

test: .venv/development ## Run every test (ARGS=… for pytest)
	@.venv/bin/pytest -n 2 $(ARGS)

fuzz: .venv/development ## Compare generated operations with the reference, for as long as wanted (SECONDS=…, SEED=…)
	@.venv/bin/python -m tests.reference.fuzz $(if $(SECONDS),--seconds $(SECONDS)) $(if $(SEED),--seed $(SEED))

cases: .venv/development ## Write the golden cases' statements and answers, and examples of REST, anew, to be read in the diff
	@.venv/bin/python -m tests.planner.test_cases
	@.venv/bin/python -m tests.acceptance.test_rest_examples

bench: .venv/development ## Measure loading, querying and what is kept
	@.venv/bin/python -m bench $(ARGS)

chaos: .venv/development ## Have each part fail under load, and tell what callers saw (ARGS=--help for more)
	@.venv/bin/python -m bench.chaos $(ARGS)

lint: .venv/development ## Check style, types, layers, the SDL, the Dockerfile and the manifests
	@.ci/lint

image: ## Carry out the Dockerfile without a container engine, and try what comes of it (as root, on Debian)
	@.ci/image

audit: .venv/development ## Ask whether what is locked has known weaknesses; fails where that cannot be asked
	@.ci/audit $(ARGS)

docs: .venv/runtime ## Write docs/settings.md and docs/metrics.md
	@.venv/bin/python -m service.settings_page > docs/settings.md
	@.venv/bin/python -m service.telemetry > docs/metrics.md

sdl: .venv/runtime ## Write schema/schema.graphql, and what caches of clients have to know of it
	@.venv/bin/parallax schema > schema/schema.graphql
	@for client in apollo graphcache; do .venv/bin/parallax schema --for $$client > schema/clients/$$client.js || exit 1; done

lock: .venv/development ## Lock what pyproject.toml wants (UPGRADE=1 for the newest versions)
	@$(COMPILE) --extra build --output-file requirements.txt
	@$(COMPILE) --extra build --extra dev --constraint requirements.txt --output-file requirements-dev.txt

clean: ## Remove the environment, and the embedded database with all that is in it
	@rm -rf .venv .parallax

.venv/place:
	@python=$$(for each in python3 python3.14 python3.13 python3.12 python3.11; do \
	    $$each -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$each && break; done); \
	test "$$python" || { echo 'Parallax needs Python 3.11 or newer (Debian: apt install python3 python3-venv).' >&2; exit 1; }; \
	$$python -m venv --clear .venv || { echo 'Parallax needs the module venv (Debian: apt install python3-venv).' >&2; exit 1; }
	@pwd > .venv/place

.venv/runtime: requirements.txt pyproject.toml | .venv/place
	@echo 'Installing …' >&2
	@$(PIP) --require-hashes -r requirements.txt
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch .venv/runtime

.venv/development: requirements-dev.txt .venv/runtime
	@echo 'Installing what development needs …' >&2
	@$(PIP) --require-hashes -r requirements-dev.txt
	@touch .venv/development
