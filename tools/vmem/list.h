/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of devices, which "vmem" prints once and "vmem watch" again and again.
 */
#ifndef _VMEM_LIST_H
#define _VMEM_LIST_H

#include "devices.h"

struct table *list_table(const struct devices *devices, bool causes);

#endif
