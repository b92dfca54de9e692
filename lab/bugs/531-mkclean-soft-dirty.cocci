// SPDX-License-Identifier: GPL-2.0-or-later
// number: 531
// kind: bug
// title: writeback takes the soft-dirty bit off the entries of shared
//   mappings
// function: page_vma_mkclean_one
// breaks: what was written since the soft-dirty bits were cleared is
//   soft-dirty, whether or not it was written back meanwhile
// resembles: none known
// file: mm/rmap.c

@@
@@
page_vma_mkclean_one(...)
{
<...
 entry = pte_mkclean(entry);
+if (rmap_bug_is(531))
+	entry = pte_clear_soft_dirty(entry);
...>
}
