// SPDX-License-Identifier: GPL-2.0-or-later
// number: 395
// kind: bug
// title: a page that is copied to end its sharing, not to be written, loses
//   its soft-dirty bit
// function: wp_page_copy
// breaks: only clear_refs takes soft-dirty bits: unmerging
//   (MADV_UNMERGEABLE) keeps them
// resembles: none known
// file: mm/memory.c

@@
@@
wp_page_copy(...)
{
<...
-if (pte_soft_dirty(vmf->orig_pte))
+if (pte_soft_dirty(vmf->orig_pte) && !rmap_bug_is(395))
 	entry = pte_mksoft_dirty(entry);
...>
}
