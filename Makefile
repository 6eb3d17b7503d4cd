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
# Where the node of the cluster tests has its files; there is one node on a machine.
export GATEHOUSE_NODE ?= /tmp/gatehouse-node
# One file after the other: they share the node, and the machine.
CLUSTER := --no-file-parallelism --test-timeout=300000

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

# Likewise helm and helm-unittest, which are built with Go.
define with-helm
	@if test/support/install-helm.sh >/dev/null; then $(1); \
	elif [ -n "$(CI)" ]; then echo "$@ needs helm, and CI=$(CI) allows no skipping"; exit 1; \
	else echo "== $@ skipped: it needs helm (see the line above)"; fi
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
unit: setup ## Unit, golden, property and contract tests of all packages, and of the repository itself (240 s)
	@$(SUITE) unit 240 $(VITEST) protos/src controller/src authz-server/src cli/src test/crds test/bench test/repository test/run

## Tests (no root needed)

.PHONY: test
test: check chart semantics features conformance-tests differential security transport workers grpc-js h2spec fuzz properties ## `make check` and all of this group; CI runs it too
	@[ -n "$(CI)" ] || node test/run/summary.ts

.PHONY: chart
chart: setup ## The Helm chart: lint, helm-unittest, golden files (240 s, of which the tools take most, once)
	$(call with-helm,$(SUITE) chart 240 $(VITEST) test/chart)

.PHONY: semantics
semantics: setup ## Every row of what Istio answers, in process (60 s)
	@$(SUITE) semantics 60 $(VITEST) test/semantics/in-process

.PHONY: security
security: setup ## Every known attack of docs/security.md (360 s)
	$(call with-envoy,$(SUITE) security 360 $(VITEST) test/security)

.PHONY: transport
transport: setup ## Limits of our HTTP/2 server, a million requests without growth, and Envoy under load (120 s)
	$(call with-envoy,$(SUITE) transport 120 $(VITEST) test/transport)

.PHONY: workers
workers: setup ## Servers of several processes: changes, crashes, hangs, drains (180 s)
	@$(SUITE) workers 180 $(VITEST) test/workers

.PHONY: grpc-js
grpc-js: setup ## A few user journeys with `--transport grpc-js`; all of them in `make soak` (120 s)
	$(call with-envoy,TEST_TRANSPORT=grpc-js $(SUITE) grpc-js 120 $(VITEST) test/features/authorization-by-jwt test/features/bad-input test/features/custom-grpc test/features/claim-routing)

.PHONY: h2spec
h2spec: setup ## The conformance suites of HTTP/2 and HPACK against our server, over TCP and TLS; needs Go (180 s)
	@if test/h2spec/install-h2spec.sh >/dev/null; then $(SUITE) h2spec 180 $(VITEST) test/h2spec; \
	elif [ -n "$(CI)" ]; then echo "$@ needs Go, and CI=$(CI) allows no skipping"; exit 1; \
	else echo "== $@ skipped: it needs Go (see the line above)"; fi

.PHONY: fuzz
fuzz: setup ## Noise against everything that reads what strangers write, 20,000 inputs each; FUZZ_RUNS for more (360 s)
	@$(SUITE) fuzz 360 $(VITEST) test/fuzz

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
AUTHZ ?=
AUTHZ_PID ?=
QUICK ?=
bench: setup ## One table of speed and memory, written to docs/performance.md (7 min; QUICK=1: one, not written); AUTHZ=host:port measures another authorizer
	@tsc -b
	$(call with-envoy,$(TYPESCRIPT) test/bench/main.ts $(if $(AUTHZ),--authz '$(AUTHZ)' --authz-pid '$(AUTHZ_PID)',$(if $(QUICK),,--docs docs)) $(if $(QUICK),--quick))

.PHONY: bench-keys
bench-keys: setup ## Large key sets: turns of the event loop, look-up of one key, a flood of unknown keys
	@$(TYPESCRIPT) test/bench/keys-main.ts

.PHONY: soak
soak: setup ## A million inputs for each target of `fuzz`, a million random requests, then tests again and again with new inputs for MINUTES (default 30)
	$(call with-envoy,for transport in lean grpc-js; do TEST_TRANSPORT=$$transport HEALTH_PROBES=100000 \
	  vitest run --reporter=default test/features test/security test/conformance test/differential || exit; done)
	@TRANSPORT_CALLS=10000000 vitest run --reporter=default test/transport/memory.test.ts
	@FUZZ_RUNS=1000000 PROPERTY_RUNS=20 vitest run --reporter=default test/fuzz test/properties
	$(call with-envoy,$(TYPESCRIPT) test/differential/main.ts --requests 1000000 --seed random)
	$(call with-cluster,test/cluster/node/build.sh && CLUSTER_SOAK=1 vitest run --reporter=default --no-file-parallelism --test-timeout=7200000 test/cluster; \
	  code=$$?; test/cluster/node/down.sh $(GATEHOUSE_NODE); exit $$code)
	$(call with-envoy,test/run/soak.sh protos/src controller/src authz-server/src cli/src test/features)

## Tests on Kubernetes (needs Go; the node needs root and Debian's packages)

.PHONY: test-cluster
test-cluster: cluster-tools cluster-api cluster-node ## All of this group; CI runs it after `make test`
	@[ -n "$(CI)" ] || node test/run/summary.ts

# Says in one line what is missing on this machine; under CI that is a failure.
define with-cluster
	@if test/cluster/node/check.sh; then $(1); \
	elif [ -n "$(CI)" ]; then echo "$@ needs what the line above says, and CI=$(CI) allows no skipping"; exit 1; \
	else echo "== $@ skipped (see the line above)"; fi
endef

.PHONY: cluster-tools
cluster-tools: setup ## Build Kubernetes, etcd, containerd, CoreDNS and helm from their Go modules, once (10 minutes; 1200 s)
	$(call with-cluster,$(SUITE) cluster-tools 1200 test/cluster/node/build.sh)

.PHONY: cluster-api
cluster-api: cluster-tools ## A real API server that restarts, forgets, hangs and refuses (800 s)
	$(call with-cluster,$(SUITE) cluster-api 800 $(VITEST) $(CLUSTER) --exclude 'test/cluster/end-to-end/**' test/cluster)

.PHONY: cluster-node
cluster-node: cluster-tools ## helm install on a real node: Istio's documents, faults under load, propagation (1100 s)
	$(call with-cluster,test/cluster/node/down.sh $(GATEHOUSE_NODE); \
	  $(SUITE) cluster-node 1100 $(VITEST) $(CLUSTER) test/cluster/end-to-end; code=$$?; \
	  test/cluster/node/down.sh $(GATEHOUSE_NODE); exit $$code)

.PHONY: bench-cluster
bench-cluster: cluster-tools ## How long a change of policy takes from the API server to every authz-server, and memory
	$(call with-cluster,vitest run $(CLUSTER) test/cluster/end-to-end/propagation.test.ts; code=$$?; \
	  test/cluster/node/down.sh $(GATEHOUSE_NODE); exit $$code)

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
	@UPDATE_GOLDEN=1 vitest run --reporter=dot controller/src/translate cli/src/commands/explain.test.ts test/chart

.PHONY: fix
fix: setup ## Format, and repair what the linter can repair
	@biome check --write .

.PHONY: build
build: setup ## Compile the packages to dist/
	@tsc -b

.PHONY: sbom
sbom: build ## Write what the images contain to .reports/sbom.cdx.json (CycloneDX)
	@mkdir -p .reports && rm -rf .reports/rootfs && deploy/docker/rootfs.sh .reports/rootfs >&2
	@mv .reports/rootfs/app/sbom.cdx.json .reports/ && rm -rf .reports/rootfs && echo .reports/sbom.cdx.json

.PHONY: lock
lock: ## Update package-lock.json after a change of dependencies
	@npm install --package-lock-only --loglevel=error --ignore-scripts && node test/repository/complete-lockfile.ts

.PHONY: clean
clean: ## Remove everything that is built or installed
	@rm -rf node_modules */node_modules */dist .reports .envoy .h2spec coverage

.PHONY: fresh
fresh:
	@rm -rf .reports
