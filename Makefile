# Tidegate. `make` lists the targets.

GO      ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X github.com/tidegate/tidegate/internal/cli.version=$(VERSION)
UNIT     = $(shell $(GO) list ./... | grep -v /internal/e2e)
LINTER  := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.13.2
ACTIONS := github.com/rhysd/actionlint/cmd/actionlint@v1.7.12
TARGETS := linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64
BUILD    = CGO_ENABLED=0 $(GO) build -trimpath -gcflags=all=-l -ldflags '$(LDFLAGS)'

WITH_CLUSTER = KUBECONFIG=$$($(GO) run -C testdata/cluster . status -o json | sed -n 's/.*"kubeconfig": *"\([^"]*\)".*/\1/p')

.DEFAULT_GOAL := help
.PHONY: help build dist demo test test-unit test-cluster exhaust bench lint lint-workflows fmt schema cluster-up cluster-down clean

help: ## List the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# Without inlining the binary is 5 MB smaller (46 -> 41 MB); Tidegate waits for clusters, not for its processor.
build: ## Build the static binary bin/tidegate
	$(BUILD) -o bin/tidegate ./cmd/tidegate

dist: ## Build the binaries of a release and their checksums into dist/
	rm -rf dist
	set -e; for target in $(TARGETS); do \
		os=$${target%/*} arch=$${target#*/} suffix=; \
		if [ $$os = windows ]; then suffix=.exe; fi; \
		GOOS=$$os GOARCH=$$arch $(BUILD) -o dist/tidegate-$$os-$$arch$$suffix ./cmd/tidegate; \
	done
	cd dist && sha256sum tidegate-* > checksums.txt

demo: ## A good and a bad release on the embedded cluster
	$(GO) run ./cmd/tidegate demo

test: test-unit test-cluster ## All tests, the real cluster included (Linux as root; the first time it builds Kubernetes, about 12 minutes)

test-unit: ## Everything but the real cluster, with the race detector
	$(GO) vet ./...
	$(GO) test -race -timeout 30m $(UNIT)
	$(GO) test -timeout 20m ./internal/app
	$(GO) test -C testdata/cluster ./...
	$(MAKE) lint-workflows

test-cluster: ## Rollouts on a real Kubernetes, gateway and Prometheus under real requests
	$(GO) test -v -timeout 75m -count 1 ./internal/e2e
	$(WITH_CLUSTER) $(GO) test -timeout 20m -count 1 -run Real ./internal/sandbox/contract
	$(WITH_CLUSTER) $(GO) test -timeout 20m -count 1 -parallel 50 ./internal/state/cluster

exhaust: ## What make test samples, whole: every write and call of every strategy in memory, every step on the real cluster (hours)
	TIDEGATE_TEST_ALL=1 $(GO) test -timeout 120m ./internal/app
	TIDEGATE_TEST_ALL=1 $(GO) test -v -timeout 240m -count 1 ./internal/e2e

bench: build ## Print the measures of docs/benchmarks.md
	$(GO) test -timeout 60m -run '^$$' -bench . -benchtime 1x ./internal/e2e

lint: ## golangci-lint, import directions included
	$(GO) run $(LINTER) run ./...

# shellcheck is not asked: it would find other things on a machine that has it.
lint-workflows: ## actionlint on all workflows, those in the documentation included
	rm -rf bin/workflows
	set -e; paths=$$($(GO) run ./testdata/workflows bin/workflows); $(GO) run $(ACTIONS) -shellcheck= -pyflakes= $$paths

fmt: ## Format the code
	gofmt -w $$(git ls-files '*.go')

schema: ## Print the JSON Schema of the spec
	@$(GO) run ./cmd/tidegate schema

cluster-up: ## Start the real cluster and leave it running
	$(GO) run -C testdata/cluster . up

cluster-down: ## Stop the real cluster and remove every trace of it
	$(GO) run -C testdata/cluster . down

clean: ## Remove what was built
	rm -rf bin dist
