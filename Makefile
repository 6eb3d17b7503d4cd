# Everything that is run here, and by CI, is a target of this file; `make` lists them.
# A suite is a command with a name and a time budget in seconds (test/run/suite.ts); what it counted is left in .reports/.

SHELL := /bin/bash
MAKEFLAGS += --no-print-directory --warn-undefined-variables
.NOTPARALLEL:
.DEFAULT_GOAL := help

# npm puts Node 24 here (package node): a machine with Node 20 needs nothing else.
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)
CI ?=
SUITE := node test/run/suite.ts
VITEST := test/run/vitest.sh
TYPESCRIPT := node --conditions=source
DIR ?= deploy/examples

.PHONY: help
help: ## Show this list
	@awk 'BEGIN { FS = ":.*## " } /^## / { printf "\n%s\n", substr($$0, 4) } /^[a-z-]+:.*## / { printf "  %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

## Set-up (every other target does it when needed)

.PHONY: setup
setup: ## Install the dependencies, Node 24 among them (npm ci, once per package-lock.json)
	@command -v npm >/dev/null || { echo "npm is missing: install Node.js 20 or later, https://nodejs.org"; exit 1; }
	@cmp -s package-lock.json node_modules/.installed-lock || { \
	  echo "Installing dependencies (npm ci)"; \
	  npm ci --loglevel=error --no-fund --no-audit && cp package-lock.json node_modules/.installed-lock; }

# Gets an Envoy, or says in one line why not. Without Envoy a suite is skipped; under CI that is a failure.
define with-envoy
	@if test/support/install-envoy.sh >/dev/null; then $(1); \
	elif [ -n "$(CI)" ]; then echo "$@ needs Envoy, and CI=$(CI) allows no skipping"; exit 1; \
	else echo "== $@ skipped: it needs Envoy (see the line above)"; fi
endef

## Checks without Envoy (under a minute)

.PHONY: check
check: fresh lint types generated unit ## All of this group: what to run before each commit

.PHONY: lint
lint: lint-style lint-promises lint-wire lint-unused lint-docs ## Format, rules, folder boundaries, lost promises, wire contract, unused code, Markdown

.PHONY: lint-style lint-promises lint-wire lint-unused lint-docs
lint-style: setup
	@$(SUITE) style 20 biome check --diagnostic-level=error --max-diagnostics=50 .
lint-promises: setup
	@$(SUITE) promises 30 oxlint --quiet
lint-wire: setup
	@$(SUITE) wire 30 npm run --silent lint:wire
lint-unused: setup
	@$(SUITE) unused 30 knip --no-progress
lint-docs: setup
	@$(SUITE) docs 20 markdownlint-cli2

.PHONY: types types-packages types-tests
types: types-packages types-tests ## Type-check packages, pure folders and tests
types-packages: setup
	@$(SUITE) types 60 tsc -b
types-tests: setup
	@$(SUITE) types-tests 60 tsc -p test/tsconfig.json --noEmit

.PHONY: generated
generated: setup ## Generated files are those that `make generate` would write (60 s)
	@$(SUITE) generated 60 npm run --silent generate:check

.PHONY: unit
unit: setup ## Unit, golden, property and contract tests of all packages, and of the repository itself (120 s)
	@$(SUITE) unit 120 $(VITEST) protos/src controller/src authz-server/src cli/src test/crds test/bench test/repository test/run

## Tests (no root needed)

.PHONY: test
test: check semantics features conformance-tests differential security fuzz properties ## `make check` and all of this group; CI runs it too
	@[ -n "$(CI)" ] || node test/run/summary.ts

.PHONY: semantics
semantics: setup ## Every row of what Istio answers, in process (60 s)
	@$(SUITE) semantics 60 $(VITEST) test/semantics/in-process

.PHONY: security
security: setup ## Every known attack of docs/security.md (120 s)
	$(call with-envoy,$(SUITE) security 120 $(VITEST) test/security)

.PHONY: fuzz
fuzz: setup ## Noise against everything that reads what strangers write, 20,000 inputs each; FUZZ_RUNS for more (240 s)
	@$(SUITE) fuzz 240 $(VITEST) test/fuzz

.PHONY: properties
properties: setup ## Laws that hold for all policies and requests, and a naive second reading of them (240 s)
	@$(SUITE) properties 240 $(VITEST) test/properties

.PHONY: features
features: setup ## The documented user journeys through a real Envoy (300 s)
	$(call with-envoy,$(SUITE) features 300 $(VITEST) test/features test/support test/semantics/through-envoy)

.PHONY: conformance-tests
conformance-tests: setup ## Recorded cases of Istio, in process and through a real Envoy (600 s)
	$(call with-envoy,$(SUITE) conformance 600 $(VITEST) test/conformance)

.PHONY: conformance
conformance: setup ## The same cases as a table: one line a group, `name: passed/total`
	$(call with-envoy,$(TYPESCRIPT) test/conformance/main.ts)

.PHONY: differential
differential: setup ## 10,000 random requests answered as by Envoy's own filters (300 s); longer: test/differential/main.ts --help
	$(call with-envoy,$(SUITE) differential 300 $(VITEST) test/differential)

.PHONY: bench
bench: setup ## Checks per second and CPU per check, beside a constant answer and Envoy's own filters
	$(call with-envoy,$(TYPESCRIPT) test/bench/main.ts)

.PHONY: soak
soak: setup ## A million inputs for each target of `fuzz`, a million random requests, then tests again and again with new inputs for MINUTES (default 30)
	@FUZZ_RUNS=1000000 PROPERTY_RUNS=20 vitest run --reporter=default test/fuzz test/properties
	$(call with-envoy,$(TYPESCRIPT) test/differential/main.ts --requests 1000000 --seed random)
	$(call with-envoy,test/run/soak.sh protos/src controller/src authz-server/src cli/src test/features)

## Work

.PHONY: demo
demo: setup ## Start controller, authz-server, Envoy and a sample service; prints curl lines to paste
	@test/support/install-envoy.sh >/dev/null
	@$(TYPESCRIPT) deploy/demo/main.ts

.PHONY: dev
dev: setup ## Start controller and authz-server over DIR (default deploy/examples), without Envoy
	@node cli/bin/gatehouse.js standalone --resources $(DIR)

.PHONY: generate
generate: setup ## Write the generated files again: types from crds/ and from protos/
	@npm run --silent generate

.PHONY: golden
golden: setup ## Write the golden files again; the diff is the review
	@UPDATE_GOLDEN=1 vitest run --reporter=dot controller/src/translate cli/src/commands/explain.test.ts

.PHONY: fix
fix: setup ## Format, and repair what the linter can repair
	@biome check --write .

.PHONY: build
build: setup ## Compile the packages to dist/
	@tsc -b

.PHONY: lock
lock: ## Update package-lock.json after a change of dependencies
	@npm install --package-lock-only --loglevel=error --ignore-scripts && node test/repository/complete-lockfile.ts

.PHONY: clean
clean: ## Remove everything that is built or installed
	@rm -rf node_modules */node_modules */dist .reports .envoy coverage

.PHONY: fresh
fresh:
	@rm -rf .reports
