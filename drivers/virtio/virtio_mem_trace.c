// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The code of the trace events, which exactly one file must contain.
 */
#include <linux/module.h>

#define CREATE_TRACE_POINTS
#include "virtio_mem_trace.h"
