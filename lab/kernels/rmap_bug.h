/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The switch of the planted bugs: all of lab/bugs/ is built into one kernel,
 * and those are on that rmap_bug=N on the kernel's command line lists, or
 * /sys/module/kernel/parameters/rmap_bug: one bug, or a list of variations as
 * in 902,910-913. 0 is nobody's number: the healthy kernel.
 */
#ifndef _LINUX_RMAP_BUG_H
#define _LINUX_RMAP_BUG_H

#include <linux/bitops.h>
#include <linux/compiler.h>

#define RMAP_BUGS 1024

extern unsigned long rmap_bugs[];

static inline bool rmap_bug_is(unsigned int number)
{
	return unlikely(test_bit(number, rmap_bugs));
}

#endif
