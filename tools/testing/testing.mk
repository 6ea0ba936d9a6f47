# SPDX-License-Identifier: GPL-2.0-or-later
# The test targets of the root Makefile.  seed=N repeats a random test.
export VMEM_SEED ?= $(seed)

.PHONY: lint unit kunit model check check-debug
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

# Kernels with KASAN, lockdep and others, and with KCSAN: built once, cached.
check-debug:
	@tools/testing/deps kunit vm
	@tools/testing/check guest-kasan guest-kcsan
