/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which processes map the pages that are asked about, and of which file.
 */
#ifndef _VMEM_PROCS_H
#define _VMEM_PROCS_H

#include <stdbool.h>

struct holders;
struct pages;

bool procs_walk(struct holders *holders, struct pages *pages);

#endif
