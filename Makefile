# `make` alone lists what there is. Each target is one script of scripts/.

.DEFAULT_GOAL := help
.PHONY: help run test chaos check bench build prepare setup clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Install what is missing, build, start everything; prints the address and the sign-in
	@scripts/run

test: ## Install what is missing, then formatting, lints, every test and the browser journeys
	@scripts/test

chaos: ## Kill, stop and wipe everything in 500 random rounds; CHAOS_SEED repeats a run, CHAOS_ROUNDS sets its length
	@scripts/chaos

check: ## Formatting and lints of both halves
	@scripts/setup run && scripts/check

bench: ## Measure speed and sizes; prints a table
	@scripts/bench

build: ## Build the server and the site without starting them
	@scripts/setup run && . scripts/toolchain-env && cargo build --package server && scripts/build-site

prepare: ## Rewrite .sqlx after changing a query or a migration
	@scripts/setup run && scripts/with-services scripts/prepare-queries

setup: ## Only install what is missing
	@scripts/setup test

clean: ## Remove what was built here, and the demo's data in .lookreel
	rm -rf target .lookreel frontend/node_modules end2end/node_modules end2end/test-results end2end/playwright-report
