# SPDX-License-Identifier: GPL-2.0-or-later
#
# Thin: cargo builds, run_tests.sh runs. Inside a kernel tree, as
# tools/testing/selftests/rmap, the kselftest targets work:
#
#   make -C tools/testing/selftests TARGETS=rmap FORCE_TARGETS=1 install
#
# RUST_TARGET=aarch64-unknown-linux-musl (or any other) builds for another machine.

CARGO ?= cargo

# One program is all of them, by the name that it is called by.
ALL := rmap_selftests
# run_tests.sh holds the list of the names.
PROGRAMS := $(shell sed -n "/^TESTS='/,/^'/s/^\([a-z0-9_]*\)[[:space:]].*/\1/p" run_tests.sh)

# Not a test: reads what they print.
REPORTER := rmap_report

# Kernel builds say ARCH. A static program needs nothing on the board, so musl is used
# where Rust has it; riscv64 has a static glibc else, linked by the cross compiler. A
# machine's own programs are dynamic where it has no musl.
RUSTC ?= rustc
have-target = $(wildcard $(shell $(RUSTC) --print target-libdir --target $(1) 2>/dev/null))
machine := $(subst x86_64,x86,$(subst aarch64,arm64,$(subst riscv64,riscv,$(shell uname -m))))
arch := $(subst x86_64,x86,$(or $(ARCH),$(machine)))
musl-arm64 := aarch64-unknown-linux-musl
musl-x86 := x86_64-unknown-linux-musl
musl-riscv := riscv64gc-unknown-linux-musl
glibc-riscv := riscv64gc-unknown-linux-gnu
ifeq ($(origin RUST_TARGET),undefined)
RUST_TARGET := $(if $(call have-target,$(musl-$(arch))),$(musl-$(arch)))
ifeq ($(RUST_TARGET),)
ifneq ($(arch),$(machine))
RUST_TARGET := $(or $(glibc-$(arch)),$(musl-$(arch)),no-target-for-$(arch))
ifeq ($(RUST_TARGET),$(glibc-riscv))
linker := CARGO_TARGET_RISCV64GC_UNKNOWN_LINUX_GNU_LINKER=$(or $(CROSS_COMPILE),riscv64-linux-gnu-)gcc
static := CARGO_ENCODED_RUSTFLAGS=-Ctarget-feature=+crt-static
endif
endif
endif
endif

# What cannot be built is said, whatever else is built beside it.
can-build = command -v $(CARGO) >/dev/null || \
	{ echo "rmap: NOT built: no $(CARGO)" >&2; exit 1; }; \
	case "$(RUST_TARGET)" in no-target-*) \
	echo "rmap: NOT built: no Rust target for ARCH=$(ARCH) is known here, RUST_TARGET=... names one" >&2; exit 1;; esac
# Where nothing else is known it is said that the programs need this machine's libraries.
can-build += $(if $(RUST_TARGET),,; echo "rmap: NOT static: no musl target for ARCH=$(arch) is known here (rustup target add)" >&2)
cargo-build = $(linker) $(static) $(CARGO) build --release --locked \
	--manifest-path $(CURDIR)/Cargo.toml --target-dir $(1) \
	$(if $(RUST_TARGET),--target $(RUST_TARGET)) \
	$(addprefix --bin ,$(ALL) $(REPORTER))
release-dir = $(1)/$(if $(RUST_TARGET),$(RUST_TARGET)/)release

# A link to here has another directory above it than the selftests, but their make
# runs this one from there.
lib-mk := $(firstword $(wildcard ../lib.mk $(if $(BUILD),$(PWD)/lib.mk)))

ifneq ($(lib-mk),)

# Links to the one program; the kselftest runner runs each by itself.
TEST_GEN_PROGS := $(PROGRAMS)
# Installed but not run.
TEST_PROGS_EXTENDED := run_tests.sh
TEST_FILES := tests/quick.list
TEST_GEN_PROGS_EXTENDED := $(ALL) $(REPORTER)
# lib.mk's own rules compile C.
OVERRIDE_TARGETS := 1

include $(lib-mk)

$(TEST_GEN_PROGS): $(OUTPUT)/$(ALL)
	ln -sf $(ALL) $@

$(TEST_GEN_PROGS_EXTENDED): $(OUTPUT)/%: cargo-build
	install -m 755 $(call release-dir,$(OUTPUT)/target)/$* $@

# With O= the source directory may be read-only: everything goes below OUTPUT.
.PHONY: cargo-build
cargo-build:
	@$(can-build)
	$(call cargo-build,$(OUTPUT)/target)

EXTRA_CLEAN += $(OUTPUT)/target

else

prefix ?= /usr/local
libexecdir ?= $(prefix)/libexec
INSTALL_PATH ?= $(DESTDIR)$(libexecdir)/rmap-selftests

.PHONY: all check install run_tests clean

all:
	@$(can-build)
	$(call cargo-build,target)

# Tests of the suite itself; not of the kernel.
check:
	$(CARGO) test --locked --workspace

# A directory that runs anywhere: programs in bin/, run_tests.sh beside it.
install: all
	install -d $(INSTALL_PATH)/bin
	install -m 755 $(addprefix $(call release-dir,target)/,$(ALL) $(REPORTER)) $(INSTALL_PATH)/bin
	for name in $(PROGRAMS); do ln -sf $(ALL) $(INSTALL_PATH)/bin/$$name; done
	install -m 755 run_tests.sh $(INSTALL_PATH)
	install -m 644 config settings tests/quick.list rmap-selftests.7 $(INSTALL_PATH)

run_tests:
	./run_tests.sh

clean:
	$(CARGO) clean

endif
