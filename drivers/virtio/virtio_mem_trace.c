// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The one file that has the code of the trace events.
 */
#include <linux/module.h>

#define CREATE_TRACE_POINTS
#include "virtio_mem_trace.h"
