/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Waits for the next look: a device's state changes, time passes, or we are to end.
 */
#ifndef _VMEM_WAKE_H
#define _VMEM_WAKE_H

#include <stdbool.h>

struct devices;
struct wake;

struct wake *wake_open(const struct devices *devices);
bool wake_wait(struct wake *wake, double seconds);
void wake_close(struct wake *wake);

#endif
