# SPDX-License-Identifier: GPL-2.0-or-later
# Builds the test module whose Makefile includes this; for people, kbuild reads Kbuild.
KVER ?= $(shell uname -r)
KDIR ?= /lib/modules/$(KVER)/build

.PHONY: module clean
module:
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules

clean:
	$(MAKE) -C $(KDIR) M=$(CURDIR) clean
