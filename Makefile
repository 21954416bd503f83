# What contributors run, and what is built with clang: the C library for guests, and the guests that
# tests and the demonstration run. `make help` lists the targets; none of them needs root, except
# `install` where PREFIX does.
#
# Clang and its libraries, on Debian 12: apt-get install clang lld llvm wabt wasi-libc
# libclang-rt-14-dev-wasm32 libc++-14-dev-wasm32 libc++abi-14-dev-wasm32 nodejs npm; and for one
# component in Rust: rustc libstd-rust-dev-wasm32. Another toolchain:
#
#   make lib CLANG=/opt/wasi-sdk/bin/clang AR=/opt/wasi-sdk/bin/llvm-ar \
#       WASI_SYSROOT=/opt/wasi-sdk/share/wasi-sysroot

.DEFAULT_GOAL := help

# Each module of Go in this repository. Those below have dependencies that wasport has not.
GO_MODULES := . bench bench/components bench/peers contrib/containerd contrib/containerd/peers \
	guest/go/ports guest/go/wasmedge
STATICCHECK ?= honnef.co/go/tools/cmd/staticcheck@v0.8.2
# Flags of go test, such as -p 1 or -run NAME.
TEST_FLAGS ?=
# The longest that one package's tests may take.
TEST_TIMEOUT ?= 25m
PACKAGES ?= ./...
# wazero's compiler takes most of the time under the race detector. Its parts that work on their own
# copy of one function are left out; the soak test of .ci/full includes them.
WAZEVO := github.com/tetratelabs/wazero/internal/engine/wazevo
RACE_FLAGS := -race -gcflags=$(WAZEVO)/backend/...=-race=false -gcflags=$(WAZEVO)/ssa=-race=false

.PHONY: help test race test-apart test-containerd lint tidy check
help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

test: ## run the tests
	go test -timeout $(TEST_TIMEOUT) $(TEST_FLAGS) $(PACKAGES)

race: ## run the tests under the race detector
	go test $(RACE_FLAGS) -timeout $(TEST_TIMEOUT) $(TEST_FLAGS) $(PACKAGES)

# Without cgo, since a program with cgo cannot give up capabilities as the shim does.
test-apart: ## run the tests of the Go modules that have dependencies of their own
	@for m in $(filter-out . contrib/containerd/peers,$(GO_MODULES)); do \
		echo "$$m"; (cd $$m && CGO_ENABLED=0 go test -timeout $(TEST_TIMEOUT) ./...) || exit; \
	done

test-containerd: ## run the shim under containerd and runc, as root; build a containerd for that
	cd contrib/containerd/peers && go test -timeout $(TEST_TIMEOUT) $(TEST_FLAGS) ./...

lint: ## check formatting, go.mod, vet and staticcheck, of every Go module
	@unformatted=$$(gofmt -l .); test -z "$$unformatted" || \
		{ echo "not formatted: $$unformatted"; exit 1; }
	@for m in $(GO_MODULES); do \
		echo "$$m"; (cd $$m && go mod tidy -diff && go mod verify && go vet ./... && \
			go run $(STATICCHECK) ./...) || exit; \
	done

tidy: ## check the rules of style, and print where they are broken
	go run ./internal/tidy

.PHONY: release release-check
release: ## build the binaries of a release into dist/, of the commit that is checked out
	.ci/release
release-check: ## check that a release is the same when it is built again
	.ci/release check

check: lint tidy test ## lint, tidy and test: do this before you send a change

CLANG ?= clang
ifeq ($(origin AR),default)
AR := llvm-ar
endif
WASI_TARGET ?= wasm32-wasi

C := guest/c
OUT ?= $(C)/build

# Debian spreads its sysroot over /usr, where clang would also find the machine's own headers; so
# they are named one by one.
ifdef WASI_SYSROOT
TARGET_FLAGS := --target=$(WASI_TARGET) --sysroot=$(WASI_SYSROOT) -isystem $(C)/include
else
TARGET_FLAGS := --target=$(WASI_TARGET) --sysroot=/usr -nostdlibinc -isystem $(C)/include \
	-isystem /usr/include/$(WASI_TARGET)
endif
CFLAGS := -std=gnu11 -Os -Wall -Wextra -Wshadow -Wstrict-prototypes -Werror
# A stack of 1 MiB with nothing below it, so that one that overflows traps, as with `wasport cc`.
STACK := -Wl,-z,stack-size=1048576 -Wl,--stack-first
LDFLAGS := -Wl,--strip-debug $(STACK)

# The parts of POSIX that wasi-libc has libraries of their own for. `wasport cc` links them too.
EMULATED := $(foreach e,signal process-clocks getpid mman,$(if \
	$(wildcard $(or $(WASI_SYSROOT),/usr)/lib/$(WASI_TARGET)/libwasi-emulated-$e.a),$e))
EMULATED_FLAGS = $(foreach e,$(EMULATED),-D_WASI_EMULATED_$(shell echo $e | tr a-z- A-Z_))

SOURCES := $(wildcard $(C)/src/*.c)
HEADERS := $(wildcard $(C)/src/*.h $(C)/include/*.h $(C)/include/*/*.h)
OBJECTS := $(SOURCES:$(C)/src/%.c=$(OUT)/ext/%.o)
WAMR_OBJECTS := $(SOURCES:$(C)/src/%.c=$(OUT)/wamr/%.o)
# The modules lie one folder above their sources, since Go has no C files beside its own. Two
# programs have none, and no recordings: under Wine seekdir takes longer than its recording would
# allow, and pthread asks nothing of the platform but the time.
GUESTS := $(sort $(wildcard internal/guests/src/*.c internal/guests/demo/src/*.c) \
	$(filter-out %/seekdir.c %/pthread.c,$(wildcard internal/conformance/src/*.c)))
WORKLOADS := $(sort $(wildcard bench/src/*.c))
MODULES := $(subst /src/,/,$(GUESTS:.c=.wasm) $(WORKLOADS:.c=.wasm)) \
	internal/engine/interrupt/testdata/cpu.wasm examples/plugins/plugin.wasm
TEXTS := $(sort $(wildcard internal/integration_test/testdata/*.wat \
	cmd/wasport/testdata/module/*.wat contrib/containerd/peers/testdata/*.wat))
# Another place for them.
GUEST_DIR ?= .

PREFIX ?= /usr/local
INSTALLED := $(DESTDIR)$(PREFIX)/lib
# As Go numbers versions: the latest tag, or without one the time and the name of the last commit.
VERSION ?= $(patsubst v%,%,$(or $(shell { git describe --tags --match 'v[0-9]*' || \
	TZ=UTC git log -1 --abbrev=12 --date=format-local:%Y%m%d%H%M%S --format=v0.0.0-%cd-%h; } 2>/dev/null),v0.0.0))

.PHONY: lib guests guests-check install clean
lib: $(OUT)/libwasport.a $(OUT)/libwasport-wamr.a ## build the C library into guest/c/build
guests: $(MODULES:%=$(GUEST_DIR)/%) threads components texts ## build the committed .wasm files

$(OUT)/libwasport.a: $(OBJECTS)
$(OUT)/libwasport-wamr.a: $(WAMR_OBJECTS)
$(OUT)/%.a:
	rm -f $@ && $(AR) Drcs $@ $^

$(OUT)/ext/%.o: $(C)/src/%.c $(HEADERS) Makefile
	@mkdir -p $(@D)
	$(CLANG) $(TARGET_FLAGS) $(CFLAGS) -c $< -o $@
$(OUT)/wamr/%.o: $(C)/src/%.c $(HEADERS) Makefile
	@mkdir -p $(@D)
	$(CLANG) $(TARGET_FLAGS) $(CFLAGS) -DWASPORT_EXT=0 -c $< -o $@

define guest
$(GUEST_DIR)/$(subst /src/,/,$(1:.c=.wasm)): $(1) $(wildcard $(dir $(1))*.h) $(OUT)/libwasport.a
	@mkdir -p $$(@D)
	$(CLANG) $(TARGET_FLAGS) $(CFLAGS) $$(FOR_PARTS) $(LDFLAGS) $$< $(OUT)/libwasport.a \
		$$(PARTS) -o $$@ && chmod 644 $$@
endef
$(foreach g,$(GUESTS),$(eval $(call guest,$(g))))
$(GUEST_DIR)/internal/conformance/%.wasm: private FOR_PARTS = $(EMULATED_FLAGS)
$(GUEST_DIR)/internal/conformance/%.wasm: private PARTS = $(EMULATED:%=-lwasi-emulated-%)

# Workloads are compiled as the native programs that they are compared with.
define workload
$(GUEST_DIR)/$(subst /src/,/,$(1:.c=.wasm)): $(1) $(wildcard $(dir $(1))*.h) $(OUT)/libwasport.a
	@mkdir -p $$(@D)
	$(CLANG) $(TARGET_FLAGS) $(subst -Os,-O2,$(CFLAGS)) $(LDFLAGS) $$< $(OUT)/libwasport.a -o $$@ \
		&& chmod 644 $$@
endef
$(foreach w,$(WORKLOADS),$(eval $(call workload,$(w))))

# Without a libc.
$(GUEST_DIR)/%/cpu.wasm: %/cpu.c
	@mkdir -p $(@D)
	$(CLANG) --target=wasm32 -O2 -nostdlib -Wl,--no-entry $< -o $@ && chmod 644 $@

# A library for a program that calls it, as `wasport cc -mexec-model=reactor` builds it.
$(GUEST_DIR)/examples/plugins/plugin.wasm: examples/plugins/src/plugin.c $(OUT)/libwasport.a
	@mkdir -p $(@D)
	$(CLANG) $(TARGET_FLAGS) $(CFLAGS) $(LDFLAGS) -mexec-model=reactor \
		-Wl,--export=malloc,--export=free $< $(OUT)/libwasport.a -o $@ && chmod 644 $@

.PHONY: threads components texts
threads:
	@mkdir -p $(GUEST_DIR)/internal/guests/threads
	CLANG=$(CLANG) sh internal/guests/threads/build.sh $(GUEST_DIR)/internal/guests/threads
components: ## build the components for WASI 0.2, with clang, rustc and npm's wasm-tools
	@mkdir -p $(GUEST_DIR)/internal/guests/components
	CLANG=$(CLANG) sh internal/guests/components/build.sh $(GUEST_DIR)/internal/guests/components
	@mkdir -p $(GUEST_DIR)/bench/component
	CLANG=$(CLANG) sh internal/guests/components/build.sh $(GUEST_DIR)/bench/component \
		bench/src/component
texts:
	for t in $(TEXTS:.wat=); do \
		mkdir -p $$(dirname $(GUEST_DIR)/$$t) && \
		wat2wasm --debug-names --enable-threads $$t.wat -o $(GUEST_DIR)/$$t.wasm || exit; \
	done

guests-check: ## check that the committed .wasm files are what their sources give
	@dir=$$(mktemp -d) && trap 'rm -rf "$$dir"' EXIT && \
	$(MAKE) --no-print-directory -s guests OUT=$$dir/lib GUEST_DIR=$$dir && \
	status=0; count=0; for m in $$(git ls-files '*.wasm'); do \
		count=$$((count + 1)); cmp "$$m" "$$dir/$$m" || status=1; \
	done; \
	test $$status = 0 && echo "$$count modules are what their sources give"; exit $$status

# pkg-config's users call clang themselves, and need all that it takes to find the C library.
install: lib ## install the C library under PREFIX, for pkg-config and CMake
	install -d $(INSTALLED)/wasport $(INSTALLED)/pkgconfig $(INSTALLED)/cmake
	cp -R $(C)/include $(OUT)/libwasport.a $(OUT)/libwasport-wamr.a $(INSTALLED)/wasport
	cp -R $(C)/cmake $(INSTALLED)/cmake/wasport
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@VERSION@|$(VERSION)|' \
		-e 's|@COMPILE@|$(subst $(C)/include,$${dir}/include,$(TARGET_FLAGS)) $(EMULATED_FLAGS)|' \
		-e 's|@LINK@|$(filter --target=% --sysroot=%,$(TARGET_FLAGS)) $(STACK)|' \
		-e 's|@EMULATED@|$(EMULATED:%=-lwasi-emulated-%)|' \
		$(C)/wasport.pc.in >$(INSTALLED)/pkgconfig/wasport.pc

clean: ## remove the built C library
	rm -rf $(OUT)
