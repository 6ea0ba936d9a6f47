# SPDX-License-Identifier: GPL-2.0-or-later
# The one list of the module's objects.  The root Kbuild includes it out of
# tree; grafted into a kernel, graft.mk does.  Not named Kbuild: kbuild would
# take that for the kernel's own Makefile.
virtio-mem-objs-list := virtio_mem.o virtio_mem_device.o virtio_mem_param.o \
	virtio_mem_config.o virtio_mem_orphan.o virtio_mem_work.o virtio_mem_answer.o \
	virtio_mem_mm.o virtio_mem_pages.o virtio_mem_memmap.o \
	virtio_mem_adopt.o virtio_mem_scan.o virtio_mem_held.o \
	virtio_mem_room.o virtio_mem_rest.o virtio_mem_snapshot.o \
	virtio_mem_table.o \
	virtio_mem_vq.o virtio_mem_bound.o virtio_mem_hold.o virtio_mem_sysfs.o virtio_mem_event.o \
	virtio_mem_debugfs.o virtio_mem_vmcore.o \
	virtio_mem_bb.o virtio_mem_cause.o virtio_mem_choose.o \
	virtio_mem_known.o virtio_mem_note.o virtio_mem_plan.o virtio_mem_proto.o virtio_mem_retry.o
virtio-mem-objs-list += $(if $(CONFIG_PM_SLEEP),virtio_mem_pm.o)
virtio-mem-objs-list += virtio_mem_stats.o virtio_mem_trace.o
