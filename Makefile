# Everything a person needs is a target; `make help` lists them. What is missing is installed on the way.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

BUF_VERSION := 1.75.0
BUF := $(CURDIR)/bin/tools/node_modules/.bin/buf
TOOL := GOWORK=off go tool -modfile=tools/go.mod # -n TOOL prints the path of the built tool
SOURCES := $(shell find cmd cli mesh services internal ledger passport gen -name '*.go' -not -name '*_test.go' 2>/dev/null) \
  services/gateway/page/docs.html go.mod go.sum

include tools/onnxruntime.mk

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  %-14s %s\n", $$1, $$2}'

.PHONY: demo
demo: build onnxruntime ## Train a small policy with verified rewards on the embedded mesh, and seal it
	./bin/provenir rl --demo

.PHONY: build
build: bin/provenir ## Build bin/provenir

bin/provenir: $(SOURCES)
	@echo "building bin/provenir (the first time compiles every dependency: some minutes)"
	go build -o $@ ./cmd/provenir

.PHONY: test
test: onnxruntime lint test-go check-proto ## Everything that CI runs: linters, tests under the race detector, protos

.PHONY: test-go
test-go: onnxruntime ## All Go tests, with the race detector and in random order
	PROVENIR_ONNXRUNTIME=$(CURDIR)/$(wildcard $(ORT_DIR)/libonnxruntime*$(ORT_VERSION)*) \
	  go test -race -shuffle=on -timeout 20m ./... ./gen/...

.PHONY: test-fast
test-fast: onnxruntime ## All Go tests without the race detector
	PROVENIR_ONNXRUNTIME=$(CURDIR)/$(wildcard $(ORT_DIR)/libonnxruntime*$(ORT_VERSION)*) go test -short ./...

.PHONY: lint
lint: ## golangci-lint, formatting, tidiness of the modules
	@test -z "$$(gofmt -l cmd cli mesh services internal ledger passport test)" || { gofmt -l cmd cli mesh services internal ledger passport test; exit 1; }
	$$($(TOOL) -n golangci-lint) run ./...
	GOWORK=off go mod tidy -diff
	cd gen && GOWORK=off go mod tidy -diff

.PHONY: check-proto
check-proto: $(BUF) protos ## Lint the protos, compare them with the commit before, and see that gen/ is what they generate
	GOWORK=off $(BUF) lint
	GOWORK=off $(BUF) format -d --exit-code
	tools/breaking.sh $(BUF)
	tools/generated.sh $(BUF)

.PHONY: gen
gen: $(BUF) protos ## Generate gen/ from the protos
	find gen \( -name '*.pb.go' -o -name '*.pb.gw.go' \) -delete
	GOWORK=off $(BUF) generate
	cd gen && GOWORK=off go mod tidy

.PHONY: protos
protos: ## Fetch the protos of others into third_party/proto (pinned, git-ignored)
	@tools/vendor-protos.sh

$(BUF):
	npm install --silent --no-audit --no-fund --prefix bin/tools @bufbuild/buf@$(BUF_VERSION)

.PHONY: bench
bench: onnxruntime ## Benchmarks of the hot paths
	PROVENIR_ONNXRUNTIME=$(CURDIR)/$(wildcard $(ORT_DIR)/libonnxruntime*$(ORT_VERSION)*) \
	  go test -run '^$$' -bench . -benchmem ./services/... ./ledger/...

.PHONY: clean
clean: ## Remove what was built
	rm -rf bin lib third_party/proto
