# SPDX-License-Identifier: GPL-2.0-or-later
# The root Makefile's targets for packagers: Debian packages, and a kernel's tree.

.PHONY: deb graft graft-patch
# Into build/deb, or where OUT says.
deb:
	@tools/testing/deps deb
	@tools/packaging/build $(or $(OUT),build/deb)

# Into the kernel source tree KSRC, in place of the kernel's own; REVERT=1: out again.
graft:
	@tools/packaging/graft $(if $(REVERT),--revert) "$(KSRC)"

# The same as patches for "git am", in build/graft, or where OUT says; KSRC stays as it is.
graft-patch:
	@tools/packaging/graft --patch "$(KSRC)" $(or $(OUT),build/graft)
