# SPDX-License-Identifier: GPL-2.0-or-later
# Grafted into a kernel, drivers/virtio/Makefile includes this: the module is composed
# there, so that it can have the name of one of its objects.
include $(srctree)/drivers/virtio/virtio_mem/virtio-mem.mk
obj-$(CONFIG_VIRTIO_MEM) += virtio_mem.o
virtio_mem-y := $(addprefix virtio_mem/,$(virtio-mem-objs-list))
CFLAGS_virtio_mem/virtio_mem.o := -DVIRTIO_MEM_VERSION='"@VERSION@"'
# define_trace.h includes virtio_mem_trace.h by its name.
CFLAGS_virtio_mem/virtio_mem_trace.o := -I$(srctree)/drivers/virtio/virtio_mem

# KUnit: the pure files are the driver's, or here where there is no driver.
virtio-mem-pure := bb cause choose known note plan proto retry
ifdef CONFIG_VIRTIO_MEM_KUNIT_TEST
obj-y += $(patsubst $(srctree)/drivers/virtio/%.c,%.o, \
	$(wildcard $(srctree)/drivers/virtio/virtio_mem/tests/*.c))
obj-$(if $(CONFIG_VIRTIO_MEM),,y) += $(virtio-mem-pure:%=virtio_mem/virtio_mem_%.o)
endif
