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

# Kernel builds say ARCH. Static musl binaries need nothing on the board.
rust-target-arm64 := aarch64-unknown-linux-musl
rust-target-x86 := x86_64-unknown-linux-musl
rust-target-x86_64 := x86_64-unknown-linux-musl
rust-target-riscv := riscv64gc-unknown-linux-musl
RUST_TARGET ?= $(rust-target-$(ARCH))

cargo-build = $(CARGO) build --release --locked \
	--manifest-path $(CURDIR)/Cargo.toml --target-dir $(1) \
	$(if $(RUST_TARGET),--target $(RUST_TARGET)) \
	$(addprefix --bin ,$(ALL) $(REPORTER))
release-dir = $(1)/$(if $(RUST_TARGET),$(RUST_TARGET)/)release

ifneq ($(wildcard ../lib.mk),)

TEST_GEN_PROGS := $(PROGRAMS)
# Installed but not run: the kselftest runner runs the programs itself.
TEST_PROGS_EXTENDED := run_tests.sh
TEST_GEN_PROGS_EXTENDED := $(REPORTER)
# lib.mk's own rules compile C.
OVERRIDE_TARGETS := 1

include ../lib.mk

$(TEST_GEN_PROGS) $(TEST_GEN_PROGS_EXTENDED): $(OUTPUT)/%: cargo-build
	install -m 755 $(call release-dir,$(OUTPUT)/target)/$* $@

# With O= the source directory may be read-only: everything goes below OUTPUT.
.PHONY: cargo-build
cargo-build:
	$(call cargo-build,$(OUTPUT)/target)

EXTRA_CLEAN += $(OUTPUT)/target

else

prefix ?= /usr/local
libexecdir ?= $(prefix)/libexec
INSTALL_PATH ?= $(DESTDIR)$(libexecdir)/rmap-selftests

.PHONY: all check install run_tests clean

all:
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
	install -m 644 config settings rmap-selftests.7 $(INSTALL_PATH)

run_tests:
	./run_tests.sh

clean:
	$(CARGO) clean

endif
