/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The switch of the planted bugs: all of lab/bugs/ is built into one kernel,
 * and at most one of them is on: rmap_bug=N on the kernel's command line, or
 * /sys/module/kernel/parameters/rmap_bug. 0 is the healthy kernel.
 */
#ifndef _LINUX_RMAP_BUG_H
#define _LINUX_RMAP_BUG_H

#include <linux/compiler.h>

extern int rmap_bug;

static inline bool rmap_bug_is(int number)
{
	return unlikely(READ_ONCE(rmap_bug) == number);
}

#endif
