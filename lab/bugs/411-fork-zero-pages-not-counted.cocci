// SPDX-License-Identifier: GPL-2.0-or-later
// number: 411
// kind: bug
// title: a child's zero pages, got from KSM, are not added to the sum
// function: ksm_fork
// breaks: ksm_zero_pages is the sum over all processes, also when a child
//   has gone
// resembles: 4d6fc29f3634 (2025): KSM counters handled wrongly during fork
// file: include/linux/ksm.h

@@
@@
ksm_fork(...)
{
<...
-atomic_long_add(nr_ksm_zero_pages, &ksm_zero_pages);
+if (!rmap_bug_is(411))
+	atomic_long_add(nr_ksm_zero_pages, &ksm_zero_pages);
...>
}
