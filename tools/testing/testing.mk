# SPDX-License-Identifier: GPL-2.0-or-later
# The test targets of the root Makefile.  VM_SEED=N repeats a random test.

.PHONY: lint unit kunit model check check-debug check-arm64 check-deb check-graft \
	check-peers check-stock-mock soak bench
lint:
	@tools/testing/deps lint
	@tools/testing/host/lint

unit:
	@tools/testing/deps unit
	@$(MAKE) -s -f tools/testing/host/unit/Makefile

kunit:
	@tools/testing/deps kunit
	@tools/testing/host/kunit/run

model:
	@tools/testing/deps model
	@tools/testing/host/model/run

# QEMU=N: guests in a newer QEMU than the host's, by its major version or "newest".
# ALL=1: all guest tests on all kernels.
check: export VM_QEMU := $(or $(QEMU),$(VM_QEMU))
check: export VM_ALL := $(or $(ALL),$(VM_ALL))
check:
	@tools/testing/deps lint unit kunit model dkms deb vm libvirt tools trace
	@tools/testing/check

# The packages in a whole Debian guest, from install to purge; as root.  FULL=1: apt and
# DKMS run in the guest, too.
check-deb:
	@tools/testing/deps deb deb-guest vm
	@tools/testing/deb/run $(if $(FULL),--in-guest)

# The kernel of a tree that has the graft (make graft KSRC=DIR), with the driver built in:
# built, booted, resized.
check-graft:
	@tools/testing/deps kunit vm
	@tools/testing/vm/bin/grafted "$(KSRC)"

# A table: how the kernel's own driver behaves with the devices in software.
check-stock-mock:
	@tools/testing/deps vm build
	@for kver in $$(tools/testing/series --runs stock-mock); do \
		tools/testing/vm/bin/stock_mock --kver $$kver || exit; \
	done

# Kernels with KASAN, lockdep and others, and with KCSAN: built once, cached.
check-debug:
	@tools/testing/deps kunit vm
	@tools/testing/check $$(tools/testing/series --runs guest-debug | sed 's/^/guest-/')

# Kernels of another architecture, in an emulator.
check-arm64:
	@tools/testing/deps vm arm64
	@tools/testing/check $$(tools/testing/series --runs guest-arm64 | sed 's/^/guest-/')

# The series that KVER names, if this stage runs on it, else the default.
series = $(or $(filter $(KVER),$(shell tools/testing/series --runs $(1))),$(firstword \
	$(shell tools/testing/series name)))

# Races and load for MINUTES, in a guest with KVER=SERIES of series.txt;
# MOCK=1: with the device in software, which does much wrong.
MINUTES ?= 10
soak: soak_series = $(call series,soak)
soak:
	@tools/testing/deps build vm
	@set -- $$(tools/testing/vm/bin/kernel $(soak_series)) && \
	{ [ -e "$$4" ] || tools/testing/deps linux-headers-$$2; } && \
	tools/testing/kbuild $$4 $(CURDIR) -s modules && \
	tools/testing/vm/bin/soak --minutes $(MINUTES) \
		--kver $(soak_series) $(if $(MOCK),--mock)

# Other people's suites, with this driver and with the kernel's own, as a table.
check-peers:
	@tools/testing/deps kunit vm build
	@tools/testing/vm/bin/peers

# This driver against the kernel's own: CASES="2 6" selects, RUNS=N times each,
# QUICK=1 with small sizes, INTO=FILE goes on with a result, KVER=SERIES.
bench: bench_series = $(call series,bench)
bench:
	@tools/testing/deps build vm bench
	@set -- $$(tools/testing/vm/bin/kernel $(bench_series)) && \
	{ [ -e "$$4" ] || tools/testing/deps linux-headers-$$2; } && \
	$(MAKE) -s module KVER=$$2 KDIR=$$4 && \
	python3 tools/testing/bench/run.py --kver $(bench_series) \
		--runs $(or $(RUNS),5) $(if $(QUICK),--quick) \
		$(if $(INTO),--into $(INTO)) $(CASES)
