// SPDX-License-Identifier: GPL-2.0-or-later
/* See include/linux/rmap_bug.h. */
#include <linux/bitmap.h>
#include <linux/cache.h>
#include <linux/moduleparam.h>
#include <linux/rmap_bug.h>
#include <linux/sysfs.h>

DECLARE_BITMAP(rmap_bugs, RMAP_BUGS) __read_mostly;

static int rmap_bugs_set(const char *list, const struct kernel_param *param)
{
	int error = bitmap_parselist(list, rmap_bugs, RMAP_BUGS);

	/* Who asked for a bug can see that it is there. */
	if (!error)
		pr_info("rmap_bug: %*pbl is on\n", RMAP_BUGS, rmap_bugs);
	return error;
}

static int rmap_bugs_get(char *buffer, const struct kernel_param *param)
{
	if (bitmap_empty(rmap_bugs, RMAP_BUGS))
		return sysfs_emit(buffer, "0\n");
	return sysfs_emit(buffer, "%*pbl\n", RMAP_BUGS, rmap_bugs);
}

static const struct kernel_param_ops rmap_bugs_ops = {
	.set = rmap_bugs_set,
	.get = rmap_bugs_get,
};

/* As core_param(), which is for plain types: without a module's name in front. */
__module_param_call("", rmap_bug, &rmap_bugs_ops, NULL, 0644, -1, 0);
