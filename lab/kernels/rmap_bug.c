// SPDX-License-Identifier: GPL-2.0-or-later
/* See include/linux/rmap_bug.h. */
#include <linux/cache.h>
#include <linux/moduleparam.h>
#include <linux/rmap_bug.h>

int rmap_bug __read_mostly;
core_param(rmap_bug, rmap_bug, int, 0644);
