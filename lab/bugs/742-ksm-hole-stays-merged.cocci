// SPDX-License-Identifier: GPL-2.0-or-later
// number: 742
// kind: bug
// title: the pages of an unmapped area, or of a hole, stay counted as
//   merged when the process has merged pages at a higher address
// function: get_next_rmap_item
// breaks: what a process no longer maps leaves the merged pages by the next
//   full scan
// resembles: none known
// file: mm/ksm.c

@@
identifier I, L;
@@
get_next_rmap_item(...)
{
<...
 if (I->address > addr) break;
+if (rmap_bug_is(742) && (I->address & STABLE_FLAG)) {
+	/* The list stays sorted: the next item goes behind this one. */
+	L = &I->rmap_list;
+	continue;
+}
 *L = I->rmap_list;
...>
}
