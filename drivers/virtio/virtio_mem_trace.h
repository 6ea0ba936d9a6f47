/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The trace events of the driver, virtio_mem:*, which docs/ABI/trace-virtio-mem
 * describes.  A tracepoint that is off costs a jump that is not taken.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM virtio_mem

#if !defined(_VIRTIO_MEM_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _VIRTIO_MEM_TRACE_H

#include <linux/tracepoint.h>

#include "virtio_mem_bb.h"
#include "virtio_mem_cause.h"
#include "virtio_mem_choose.h"
#include "virtio_mem_compat.h"
#include "virtio_mem_proto.h"
#include "virtio_mem_stats.h"

/* Names for readers of the binary form, to whom `format` gives the numbers. */
#define virtio_mem_show_request(type)				\
	__print_symbolic(type,					\
			 { VIRTIO_MEM_REQ_PLUG, "PLUG" },	\
			 { VIRTIO_MEM_REQ_UNPLUG, "UNPLUG" },	\
			 { VIRTIO_MEM_REQ_UNPLUG_ALL, "UNPLUG_ALL" }, \
			 { VIRTIO_MEM_REQ_STATE, "STATE" })

TRACE_DEFINE_ENUM(VIRTIO_MEM_ANSWER_ACK);
TRACE_DEFINE_ENUM(VIRTIO_MEM_ANSWER_NACK);
TRACE_DEFINE_ENUM(VIRTIO_MEM_ANSWER_BUSY);
TRACE_DEFINE_ENUM(VIRTIO_MEM_ANSWER_ERROR);
TRACE_DEFINE_ENUM(VIRTIO_MEM_ANSWER_UNKNOWN);
TRACE_DEFINE_ENUM(VIRTIO_MEM_ANSWER_SILENT);
TRACE_DEFINE_ENUM(VIRTIO_MEM_ANSWER_UNSENT);
TRACE_DEFINE_ENUM(VIRTIO_MEM_ANSWER_GONE);

#define virtio_mem_show_answer(answer)				\
	__print_symbolic(answer,				\
			 { VIRTIO_MEM_ANSWER_ACK, "ACK" },	\
			 { VIRTIO_MEM_ANSWER_NACK, "NACK" },	\
			 { VIRTIO_MEM_ANSWER_BUSY, "BUSY" },	\
			 { VIRTIO_MEM_ANSWER_ERROR, "ERROR" },	\
			 { VIRTIO_MEM_ANSWER_UNKNOWN, "unknown" },	\
			 { VIRTIO_MEM_ANSWER_SILENT, "none" },	\
			 { VIRTIO_MEM_ANSWER_UNSENT, "unsent" },	\
			 { VIRTIO_MEM_ANSWER_GONE, "gone" })

TRACE_DEFINE_ENUM(VIRTIO_MEM_BB_UNUSED);
TRACE_DEFINE_ENUM(VIRTIO_MEM_BB_PLUGGED);
TRACE_DEFINE_ENUM(VIRTIO_MEM_BB_ADDED);
TRACE_DEFINE_ENUM(VIRTIO_MEM_BB_FAKE_OFFLINE);

#define virtio_mem_show_state(state)				\
	__print_symbolic(state,					\
			 { VIRTIO_MEM_BB_UNUSED, "UNUSED" },	\
			 { VIRTIO_MEM_BB_PLUGGED, "PLUGGED" },	\
			 { VIRTIO_MEM_BB_ADDED, "ADDED" },	\
			 { VIRTIO_MEM_BB_FAKE_OFFLINE, "FAKE_OFFLINE" })

TRACE_DEFINE_ENUM(VIRTIO_MEM_METHOD_OFFLINE);
TRACE_DEFINE_ENUM(VIRTIO_MEM_METHOD_DIRECT);
TRACE_DEFINE_ENUM(VIRTIO_MEM_METHOD_SWEEP);
TRACE_DEFINE_ENUM(VIRTIO_MEM_METHOD_TAKE);

#define virtio_mem_show_method(method)				\
	__print_symbolic(method,				\
			 { VIRTIO_MEM_METHOD_OFFLINE, "offline" },	\
			 { VIRTIO_MEM_METHOD_DIRECT, "direct" },	\
			 { VIRTIO_MEM_METHOD_SWEEP, "sweep" },	\
			 { VIRTIO_MEM_METHOD_TAKE, "take" })

TRACE_DEFINE_ENUM(VIRTIO_MEM_OP_ADD);
TRACE_DEFINE_ENUM(VIRTIO_MEM_OP_SWEEP);
TRACE_DEFINE_ENUM(VIRTIO_MEM_OP_TAKE);
TRACE_DEFINE_ENUM(VIRTIO_MEM_OP_OFFLINE);
TRACE_DEFINE_ENUM(VIRTIO_MEM_OP_GIVE_BACK);

#define virtio_mem_show_op(op)					\
	__print_symbolic(op,					\
			 { VIRTIO_MEM_OP_ADD, "add" },		\
			 { VIRTIO_MEM_OP_SWEEP, "sweep" },	\
			 { VIRTIO_MEM_OP_TAKE, "take" },	\
			 { VIRTIO_MEM_OP_OFFLINE, "offline-remove" },	\
			 { VIRTIO_MEM_OP_GIVE_BACK, "give-back" })

TRACE_DEFINE_ENUM(VIRTIO_MEM_CAUSE_NONE);
TRACE_DEFINE_ENUM(VIRTIO_MEM_CAUSE_DEV_NACK);
TRACE_DEFINE_ENUM(VIRTIO_MEM_CAUSE_DEV_ERROR);
TRACE_DEFINE_ENUM(VIRTIO_MEM_CAUSE_NOMEM);
TRACE_DEFINE_ENUM(VIRTIO_MEM_CAUSE_ADD_FAILED);
TRACE_DEFINE_ENUM(VIRTIO_MEM_CAUSE_UNMOVABLE);
TRACE_DEFINE_ENUM(VIRTIO_MEM_CAUSE_HUGETLB);
TRACE_DEFINE_ENUM(VIRTIO_MEM_CAUSE_PINNED);
TRACE_DEFINE_ENUM(VIRTIO_MEM_CAUSE_VETO);
TRACE_DEFINE_ENUM(VIRTIO_MEM_CAUSE_DEADLINE);
TRACE_DEFINE_ENUM(VIRTIO_MEM_CAUSE_KEPT_ONLINE);
TRACE_DEFINE_ENUM(VIRTIO_MEM_CAUSE_FOREIGN);
TRACE_DEFINE_ENUM(VIRTIO_MEM_CAUSE_HOTPLUG);
TRACE_DEFINE_ENUM(VIRTIO_MEM_CAUSE_OUTSIDE);
TRACE_DEFINE_ENUM(VIRTIO_MEM_CAUSE_INTERRUPTED);
TRACE_DEFINE_ENUM(VIRTIO_MEM_CAUSE_PRESSURE);
TRACE_DEFINE_ENUM(VIRTIO_MEM_CAUSE_DEV_BUSY);
TRACE_DEFINE_ENUM(VIRTIO_MEM_CAUSE_DEV_SILENT);
TRACE_DEFINE_ENUM(VIRTIO_MEM_CAUSE_ONLINE_LIMIT);
TRACE_DEFINE_ENUM(VIRTIO_MEM_CAUSE_NO_BB);

#define virtio_mem_show_cause(cause)				\
	__print_symbolic(cause,					\
			 { VIRTIO_MEM_CAUSE_NONE, "-" },	\
			 { VIRTIO_MEM_CAUSE_DEV_NACK, "nack" },	\
			 { VIRTIO_MEM_CAUSE_DEV_ERROR, "error" },	\
			 { VIRTIO_MEM_CAUSE_NOMEM, "nomem" },	\
			 { VIRTIO_MEM_CAUSE_ADD_FAILED, "add-failed" },	\
			 { VIRTIO_MEM_CAUSE_UNMOVABLE, "unmovable" },	\
			 { VIRTIO_MEM_CAUSE_HUGETLB, "hugetlb" },	\
			 { VIRTIO_MEM_CAUSE_PINNED, "pinned" },	\
			 { VIRTIO_MEM_CAUSE_VETO, "veto" },	\
			 { VIRTIO_MEM_CAUSE_DEADLINE, "deadline" },	\
			 { VIRTIO_MEM_CAUSE_KEPT_ONLINE, "kept-online" }, \
			 { VIRTIO_MEM_CAUSE_FOREIGN, "foreign" },	\
			 { VIRTIO_MEM_CAUSE_HOTPLUG, "hotplug" },	\
			 { VIRTIO_MEM_CAUSE_OUTSIDE, "outside" },	\
			 { VIRTIO_MEM_CAUSE_INTERRUPTED, "interrupted" }, \
			 { VIRTIO_MEM_CAUSE_PRESSURE, "pressure" },	\
			 { VIRTIO_MEM_CAUSE_DEV_BUSY, "busy" },	\
			 { VIRTIO_MEM_CAUSE_DEV_SILENT, "no-answer" },	\
			 { VIRTIO_MEM_CAUSE_ONLINE_LIMIT, "online-limit" }, \
			 { VIRTIO_MEM_CAUSE_NO_BB, "no-block" })

TRACE_EVENT(virtio_mem_request,
	TP_PROTO(const char *dev, u16 type, u64 addr, u16 nb_blocks),
	TP_ARGS(dev, type, addr, nb_blocks),
	TP_STRUCT__entry(
		__string(dev, dev)
		__field(u64, addr)
		__field(u16, type)
		__field(u16, nb_blocks)
	),
	TP_fast_assign(
		VIRTIO_MEM_ASSIGN_STR(dev, dev);
		__entry->addr = addr;
		__entry->type = type;
		__entry->nb_blocks = nb_blocks;
	),
	TP_printk("%s %s addr=0x%llx blocks=%u", __get_str(dev),
		  virtio_mem_show_request(__entry->type), __entry->addr,
		  __entry->nb_blocks)
);

TRACE_EVENT(virtio_mem_answer,
	TP_PROTO(const char *dev, u16 type, u64 addr, u16 nb_blocks,
		 enum virtio_mem_answer answer, u64 us),
	TP_ARGS(dev, type, addr, nb_blocks, answer, us),
	TP_STRUCT__entry(
		__string(dev, dev)
		__field(u64, addr)
		__field(u64, us)
		__field(u16, type)
		__field(u16, nb_blocks)
		__field(int, answer)
	),
	TP_fast_assign(
		VIRTIO_MEM_ASSIGN_STR(dev, dev);
		__entry->addr = addr;
		__entry->us = us;
		__entry->type = type;
		__entry->nb_blocks = nb_blocks;
		__entry->answer = answer;
	),
	TP_printk("%s %s addr=0x%llx blocks=%u answer=%s us=%llu",
		  __get_str(dev), virtio_mem_show_request(__entry->type),
		  __entry->addr, __entry->nb_blocks,
		  virtio_mem_show_answer(__entry->answer), __entry->us)
);

TRACE_EVENT(virtio_mem_state,
	TP_PROTO(const char *dev, u64 addr, u64 size, int from, int to),
	TP_ARGS(dev, addr, size, from, to),
	TP_STRUCT__entry(
		__string(dev, dev)
		__field(u64, addr)
		__field(u64, size)
		__field(int, from)
		__field(int, to)
	),
	TP_fast_assign(
		VIRTIO_MEM_ASSIGN_STR(dev, dev);
		__entry->addr = addr;
		__entry->size = size;
		__entry->from = from;
		__entry->to = to;
	),
	TP_printk("%s addr=0x%llx size=0x%llx %s -> %s", __get_str(dev),
		  __entry->addr, __entry->size,
		  virtio_mem_show_state(__entry->from),
		  virtio_mem_show_state(__entry->to))
);

TRACE_EVENT(virtio_mem_pick,
	TP_PROTO(const char *dev, u64 addr,
		 const struct virtio_mem_score *score, u64 rank,
		 enum virtio_mem_method method, unsigned int ms),
	TP_ARGS(dev, addr, score, rank, method, ms),
	TP_STRUCT__entry(
		__string(dev, dev)
		__field(u64, addr)
		__field(u64, rank)
		__field(unsigned long, online)
		__field(unsigned long, free)
		__field(unsigned long, used)
		__field(unsigned long, held)
		__field(unsigned long, busy)
		__field(unsigned long, stuck)
		__field(int, method)
		__field(unsigned int, ms)
	),
	TP_fast_assign(
		VIRTIO_MEM_ASSIGN_STR(dev, dev);
		__entry->addr = addr;
		__entry->rank = rank;
		__entry->online = score->online_pages;
		__entry->free = score->free_pages;
		__entry->used = score->used_pages;
		__entry->held = score->held_pages;
		__entry->busy = score->busy_pages;
		__entry->stuck = score->stuck_pages;
		__entry->method = method;
		__entry->ms = ms;
	),
	TP_printk("%s addr=0x%llx method=%s ms=%u online=%lu free=%lu used=%lu held=%lu busy=%lu stuck=%lu rank=0x%llx",
		  __get_str(dev), __entry->addr,
		  virtio_mem_show_method(__entry->method), __entry->ms,
		  __entry->online, __entry->free, __entry->used, __entry->held,
		  __entry->busy, __entry->stuck, __entry->rank)
);

TRACE_EVENT(virtio_mem_op,
	TP_PROTO(const char *dev, enum virtio_mem_op op, u64 addr, u64 size,
		 int result, u64 us),
	TP_ARGS(dev, op, addr, size, result, us),
	TP_STRUCT__entry(
		__string(dev, dev)
		__field(u64, addr)
		__field(u64, size)
		__field(u64, us)
		__field(int, op)
		__field(int, result)
	),
	TP_fast_assign(
		VIRTIO_MEM_ASSIGN_STR(dev, dev);
		__entry->addr = addr;
		__entry->size = size;
		__entry->us = us;
		__entry->op = op;
		__entry->result = result;
	),
	TP_printk("%s %s addr=0x%llx size=0x%llx result=%d us=%llu",
		  __get_str(dev), virtio_mem_show_op(__entry->op),
		  __entry->addr, __entry->size, __entry->result, __entry->us)
);

TRACE_EVENT(virtio_mem_dislike,
	TP_PROTO(const char *dev, u64 addr, enum virtio_mem_cause cause,
		 u64 page),
	TP_ARGS(dev, addr, cause, page),
	TP_STRUCT__entry(
		__string(dev, dev)
		__field(u64, addr)
		__field(u64, page)
		__field(int, cause)
	),
	TP_fast_assign(
		VIRTIO_MEM_ASSIGN_STR(dev, dev);
		__entry->addr = addr;
		__entry->page = page;
		__entry->cause = cause;
	),
	TP_printk("%s addr=0x%llx cause=%s page=0x%llx", __get_str(dev),
		  __entry->addr, virtio_mem_show_cause(__entry->cause),
		  __entry->page)
);

TRACE_EVENT(virtio_mem_guard,
	TP_PROTO(const char *dev, u64 addr, const struct virtio_mem_fit *fit),
	TP_ARGS(dev, addr, fit),
	TP_STRUCT__entry(
		__string(dev, dev)
		__field(u64, addr)
		__field(unsigned long, left)
		__field(unsigned long, reserve)
		__field(bool, kernel)
	),
	TP_fast_assign(
		VIRTIO_MEM_ASSIGN_STR(dev, dev);
		__entry->addr = addr;
		__entry->left = fit->left;
		__entry->reserve = fit->reserve;
		__entry->kernel = fit->kernel;
	),
	TP_printk("%s addr=0x%llx left=%lu reserve=%lu zones=%s",
		  __get_str(dev), __entry->addr, __entry->left,
		  __entry->reserve, __entry->kernel ? "kernel" : "all")
);

TRACE_EVENT(virtio_mem_pass_begin,
	TP_PROTO(const char *dev, u64 requested, u64 plugged),
	TP_ARGS(dev, requested, plugged),
	TP_STRUCT__entry(
		__string(dev, dev)
		__field(u64, requested)
		__field(u64, plugged)
	),
	TP_fast_assign(
		VIRTIO_MEM_ASSIGN_STR(dev, dev);
		__entry->requested = requested;
		__entry->plugged = plugged;
	),
	TP_printk("%s requested=0x%llx plugged=0x%llx", __get_str(dev),
		  __entry->requested, __entry->plugged)
);

TRACE_EVENT(virtio_mem_pass_end,
	TP_PROTO(const char *dev, u64 requested, u64 plugged,
		 enum virtio_mem_cause cause, u32 next_ms),
	TP_ARGS(dev, requested, plugged, cause, next_ms),
	TP_STRUCT__entry(
		__string(dev, dev)
		__field(u64, requested)
		__field(u64, plugged)
		__field(int, cause)
		__field(u32, next_ms)
	),
	TP_fast_assign(
		VIRTIO_MEM_ASSIGN_STR(dev, dev);
		__entry->requested = requested;
		__entry->plugged = plugged;
		__entry->cause = cause;
		__entry->next_ms = next_ms;
	),
	TP_printk("%s requested=0x%llx plugged=0x%llx cause=%s next_ms=%u",
		  __get_str(dev), __entry->requested, __entry->plugged,
		  virtio_mem_show_cause(__entry->cause), __entry->next_ms)
);

#endif /* _VIRTIO_MEM_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE virtio_mem_trace
#include <trace/define_trace.h>
