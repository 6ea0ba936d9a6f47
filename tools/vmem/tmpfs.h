/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which files of tmpfs and memfd the pages are of that no process maps.
 */
#ifndef _VMEM_TMPFS_H
#define _VMEM_TMPFS_H

struct holders;
struct pages;

void tmpfs_name(struct holders *holders, struct pages *pages);

#endif
