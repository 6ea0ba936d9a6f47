# SPDX-License-Identifier: GPL-2.0-or-later
# The test targets of the root Makefile.  seed=N repeats a random test.
export VMEM_SEED ?= $(or $(seed),$(SEED))

.PHONY: lint unit kunit model check check-debug \
	check-peers check-stock-mock soak bench
lint:
	@tools/testing/deps lint
	@tools/testing/lint

unit:
	@tools/testing/deps unit
	@$(MAKE) -s -f tools/testing/unit/Makefile

kunit:
	@tools/testing/deps kunit
	@tools/testing/kunit/run

model:
	@tools/testing/deps model
	@tools/testing/model/run

check:
	@tools/testing/deps lint unit kunit model dkms vm libvirt
	@tools/testing/check

# What the kernel's own driver does with the devices in software: a table.
check-stock-mock:
	@tools/testing/deps vm build
	@for kver in 6.12 6.1; do \
		tools/testing/vm/stock_mock.py --kver $$kver || exit; \
	done

# Kernels with KASAN, lockdep and others, and with KCSAN: built once, cached.
check-debug:
	@tools/testing/deps kunit vm
	@tools/testing/check guest-kasan guest-kcsan

# Races and load for MINUTES, in a guest with KVER=6.1, 6.12, kasan or kcsan;
# MOCK=1: with the device in software, which does much wrong.
MINUTES ?= 10
soak_series = $(or $(filter 6.1 6.12 kasan kcsan,$(KVER)),6.12)
soak:
	@tools/testing/deps build vm
	@set -- $$(tools/testing/vm/kernels.py $(soak_series)) && \
	{ [ -e "$$4" ] || tools/testing/deps linux-headers-$$2; } && \
	$(MAKE) -s module KVER=$$2 KDIR=$$4 && \
	python3 tools/testing/vm/soak.py --minutes $(MINUTES) \
		--kver $(soak_series) $(if $(MOCK),--mock)

# Other people's suites, with this driver and with the kernel's own, as a table.
check-peers:
	@tools/testing/deps kunit vm build
	@tools/testing/peers/run

# This driver against the kernel's own: CASES="2 6" selects, RUNS=N times each,
# QUICK=1 with small sizes, INTO=FILE goes on with a result, KVER=6.1 or 6.12.
bench_series = $(or $(filter 6.1 6.12,$(KVER)),6.12)
bench:
	@tools/testing/deps build vm bench
	@set -- $$(tools/testing/vm/kernels.py $(bench_series)) && \
	{ [ -e "$$4" ] || tools/testing/deps linux-headers-$$2; } && \
	$(MAKE) -s module KVER=$$2 KDIR=$$4 && \
	python3 tools/testing/bench/run.py --kver $(bench_series) \
		--runs $(or $(RUNS),5) $(if $(QUICK),--quick) \
		$(if $(INTO),--into $(INTO)) $(CASES)
