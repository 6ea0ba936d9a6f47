# SPDX-License-Identifier: GPL-2.0-or-later
# For people; kbuild reads Kbuild.  `make help` lists the targets.

# The newest kernel whose headers are installed, unless told otherwise; where
# the running kernel has headers, that one.
KVER ?= $(shell [ -e /lib/modules/$$(uname -r)/build ] && uname -r || \
	ls -d /lib/modules/*/build 2>/dev/null | cut -d/ -f4 | sort -V | tail -n 1)
KDIR ?= /lib/modules/$(KVER)/build
# For packagers: put in front of what install writes.
DESTDIR ?=
MODDIR = $(DESTDIR)/lib/modules/$(KVER)/updates

.PHONY: all module clean install uninstall tools install-tools demo help
all: module

module:
	@test -n "$(KVER)" -a -e "$(KDIR)/Makefile" || { \
		echo "No kernel headers at $(KDIR): apt-get install linux-headers-cloud-amd64, or give KVER= or KDIR="; exit 1; }
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules

clean:
	$(MAKE) -C $(KDIR) M=$(CURDIR) clean
	$(call each_tool,clean)

# updates/ is where depmod looks first: the kernel's own module stays where it
# is, and comes back with `make uninstall`.
install: module
	install -D -m 0644 virtio_mem.ko $(MODDIR)/virtio_mem.ko
	depmod $(if $(DESTDIR),-b $(DESTDIR)) $(KVER)

uninstall:
	rm -f $(MODDIR)/virtio_mem.ko
	-rmdir --ignore-fail-on-non-empty $(MODDIR)
	depmod $(if $(DESTDIR),-b $(DESTDIR)) $(KVER)

# A program is a directory with a makefile that knows all, install and clean.
each_tool = @set -e; for dir in $(patsubst %/,%,$(dir $(wildcard tools/*/Makefile))); do \
	$(MAKE) -s -C $$dir $(1); done

tools:
	@tools/testing/deps tools
	$(call each_tool,all)

# Into PREFIX, /usr/local unless told otherwise.
install-tools: tools
	$(call each_tool,install)
	install -D -m 0644 docs/virtio_mem.4 \
		$(DESTDIR)$(or $(PREFIX),/usr/local)/share/man/man4/virtio_mem.4

# The guest's kernel is Debian's newest, whatever runs here.
demo:
	@tools/testing/deps build vm
	@kver=$$(tools/testing/vm/bin/kernel | cut -d' ' -f2) && \
	tools/testing/deps linux-headers-$$kver && \
	$(MAKE) -s module KVER=$$kver && \
	python3 tools/testing/demo.py

help:
	@echo "make [KVER=...|KDIR=...]   build virtio_mem.ko (now: $(KVER))"
	@echo "make install|uninstall     into updates/, which modprobe prefers (DESTDIR=)"
	@echo "make tools|install-tools   vmem for guests, vmemctl for hosts (PREFIX=, DESTDIR=)"
	@echo "make deb                   Debian packages, in build/deb (OUT=)"
	@echo "make graft KSRC=DIR        into a kernel's source tree (REVERT=1: out again)"
	@echo "make graft-patch KSRC=DIR  the same as patches, in build/graft (OUT=)"
	@echo "make demo                  boot a guest, grow it to 5 GiB and shrink it back"
	@echo "make check [QEMU=N]        lint, unit, KUnit and QEMU tests"
	@echo "make lint|unit|kunit       parts of it"
	@echo "make check-arm64           the guest tests on arm64, in an emulator"
	@echo "make soak MINUTES=N        races and load in a guest (VM_SEED=N repeats one)"
	@echo "make bench                 compared with the kernel's own driver, for an hour or two"
	@echo "make clean"

-include tools/packaging/packaging.mk tools/testing/testing.mk
