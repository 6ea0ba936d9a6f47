/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names that anybody may choose, made fit for a terminal and for JSON.
 */
#ifndef _VMEM_TEXT_H
#define _VMEM_TEXT_H

char *text_clean(const char *text);
char *text_shown(const char *text);

#endif
