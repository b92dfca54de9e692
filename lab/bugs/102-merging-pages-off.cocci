// SPDX-License-Identifier: GPL-2.0-or-later
// number: 102
// kind: bug
// title: a page that joins a KSM page is not counted for its process
// function: stable_tree_append
// breaks: a process's KSM counters tell its merged pages
// resembles: 4d6fc29f3634 (2025): wrong KSM counters after fork
// file: mm/ksm.c

@@
@@
stable_tree_append(...)
{
<...
-rmap_item->mm->ksm_merging_pages++;
+if (!rmap_bug_is(102))
+	rmap_item->mm->ksm_merging_pages++;
...>
}
