/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which memory cgroup the pages that are asked about are charged to.
 */
#ifndef _VMEM_CGROUPS_H
#define _VMEM_CGROUPS_H

#include <stdbool.h>

struct holders;
struct kpage;
struct pages;

bool cgroups_charge(struct holders *holders, struct pages *pages, struct kpage *kpage);

#endif
