# `make` alone lists the targets. `make test` installs the Debian packages that the tests
# use, if the user may install packages (see scripts/install-test-tools).
.DEFAULT_GOAL := help
GO ?= go
# With this tag the decoder of AVIF runs in a sandbox and the program stays static; without it
# AVIF is not decoded (docs/decisions/images.md).
export GOFLAGS := -tags=nodynamic $(GOFLAGS)
# These programs allocate much and end soon, so the collector would take a third of their time. It runs only
# when they reach this limit.
FEW_COLLECTIONS := GOGC=off GOMEMLIMIT=4GiB
STATICCHECK := $(GO) run honnef.co/go/tools/cmd/staticcheck@v0.8.2
DEADCODE := $(GO) run golang.org/x/tools/cmd/deadcode@v0.52.0
GOVULNCHECK := $(GO) run golang.org/x/vuln/cmd/govulncheck@v1.9.0
KILLS ?= 1000
FUZZTIME ?= 30s
TIME ?= 1h
MINIFLUX := miniflux.app/v2@v2.3.5

help: ## show the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-17s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## build bin/tidings, a static binary
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w' -o bin/tidings ./cmd/tidings

demo: ## run the whole service on sample articles, with its own mail inbox
	$(GO) run ./cmd/tidings demo

check: ## before each commit: format, vet, staticcheck, dead code and the short tests, on SQLite
	@$(MAKE) --no-print-directory -j2 check-tests check-code

# vet compiles what the tests need, and deadcode compiles nothing. With another order, two targets that
# run at once compile the same packages twice.
check-tests: vet
	@$(MAKE) --no-print-directory short
check-code: fmt deadcode
	@$(MAKE) --no-print-directory staticcheck

# Most tests wait for disks and clocks, so run more of them in parallel than there are processors.
# The collector took much of the processor time of tests that start nodes; with a higher GOGC it runs less.
# The benchmarks have a few tests of their own, which take longer to link than to run.
short: ## the short tests alone, on SQLite
	@. scripts/memory-folder; memory_folder /dev/shm/tidings-$$(id -u) 10 || true; GOGC=400 $(GO) test -short -vet=off -p 4 -parallel 8 -timeout 30m ./cmd/... ./feed/... ./internal/... ./mailer/... ./templates/...

fmt: ## check that all files are formatted by gofmt
	@files="$$(gofmt -l .)"; if [ -n "$$files" ]; then echo "gofmt -w these files:"; echo "$$files"; exit 1; fi; echo "gofmt: all files are formatted"

vet: ## go vet
	$(FEW_COLLECTIONS) $(GO) vet ./... && echo "go vet: nothing found"

# Without the tests it takes a third of the time, and also finds what only tests use.
staticcheck: ## staticcheck of everything but the tests
	@$(FEW_COLLECTIONS) $(STATICCHECK) -tests=false ./... && echo "staticcheck: nothing found"

staticcheck-tests: ## staticcheck of everything
	@$(FEW_COLLECTIONS) $(STATICCHECK) ./... && echo "staticcheck, with the tests: nothing found"

deadcode: ## list functions that only tests use
	@$(FEW_COLLECTIONS) scripts/deadcode $(DEADCODE)

vuln: ## govulncheck, if its database can be reached
	@scripts/vulncheck $(GOVULNCHECK)

tools: ## install the Debian packages, the WebSub hub, dex, Pebble, axe, Litestream and an S3 server, which the tests use
	@scripts/install-test-tools
	@$(MAKE) --no-print-directory programs

# What the tests use besides Debian packages; npm is one of those.
programs:
	@scripts/install-websub-hub
	@scripts/install-dex
	@scripts/install-pebble
	@scripts/install-axe
	@scripts/install-litestream
	@scripts/install-versitygw

# staticcheck uses what vet compiles; deadcode compiles nothing.
checks: fmt
	@$(MAKE) --no-print-directory -j2 vet deadcode
	@$(MAKE) --no-print-directory staticcheck staticcheck-tests
	@$(MAKE) --no-print-directory vuln

# Downloading the programs leaves the processors to the checks.
test: ## everything: checks, then the whole suite, and with the race detector what happens at once
	@scripts/install-test-tools
	@$(MAKE) --no-print-directory -j2 checks programs
	@scripts/run-tests $(GO)

crash: ## a long crash run on both stores: make crash KILLS=1000
	$(GO) test ./internal/delivery/... -run 'Crash|Nodes(Lose|Are|Continue|Restart)|ConcurrentRelease' -count=1 -timeout 0 -v -kills $(KILLS)

soak: ## a chaos night on both stores, an hour each: make soak TIME=1h
	$(GO) run ./bench/soak -time $(TIME)

fuzz: ## run every fuzz target for FUZZTIME (default 30s)
	@scripts/run-fuzz $(GO) $(FUZZTIME)

miniflux: ## read the feeds with miniflux on PostgreSQL, through edits, moves and restarts
	GOBIN="$(CURDIR)/.cache/bin" $(GO) install $(MINIFLUX)
	PATH="$(CURDIR)/.cache/bin:$$PATH" $(GO) test ./cmd/tidings -run 'Scripts/miniflux' -count=1 -v

years: ## simulate a daily digest for ten years and print the size of the store: make years YEARS="-subscribers 10000"
	$(GO) run ./bench/years $(YEARS)

bench: ## print the benchmark tables of delivery, feeds, pages, media, editions and the admin
	$(GO) run ./bench/delivery
	$(GO) run ./bench/feeds
	$(GO) run ./bench/pages
	$(GO) run ./bench/media
	$(GO) run ./bench/editions
	$(GO) run ./bench/admin

release: ## build archives, packages, images, their lists of components and checksums in dist
	cd scripts/release && $(GO) run . $(if $(VERSION),-version $(VERSION)) $(if $(TARGETS),-targets $(TARGETS))

release-test: ## as root on Debian: install the packages and the image in clean roots, and run them
	cd scripts/release && $(GO) test -count=1 .
	scripts/release-test $(GO)

client-support: ## update the table of what mail programs support, with Node.js and npm
	@scripts/client-support

screenshots: ## run the demo and write screenshots to docs/images
	@scripts/screenshots $(GO)

admin-screenshots: ## write pictures of all pages of the admin to docs/images/admin
	@mkdir -p docs/images/admin
	TIDINGS_ADMIN_SHEETS="$(CURDIR)/docs/images/admin" $(GO) test ./internal/web/admin -run TestAdminScreenshots -count=1

clean: ## remove the files that the targets above created
	rm -rf bin dist .cache "/dev/shm/tidings-$$(id -u)"

.PHONY: help build demo check check-tests check-code checks short fmt vet staticcheck staticcheck-tests deadcode vuln tools programs test crash soak fuzz miniflux years bench release release-test screenshots client-support clean
