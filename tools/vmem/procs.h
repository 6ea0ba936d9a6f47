/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which processes map the pages that are asked about, and of which file.
 */
#ifndef _VMEM_PROCS_H
#define _VMEM_PROCS_H

struct holders;
struct pages;

void procs_walk(struct holders *holders, struct pages *pages);

#endif
