// SPDX-License-Identifier: GPL-2.0-or-later
// number: 584
// kind: bug
// title: a write to a page that still has its slot in swap, or that was given
//   up before (MADV_FREE), is forgotten when UFFDIO_MOVE moves the page
// function: move_present_pte
// breaks: UFFDIO_MOVE keeps the contents of a page through a reclaim
// resembles: none known
// file: mm/userfaultfd.c

@@
@@
move_present_pte(...)
{
<...
-if (pte_dirty(orig_src_pte))
+if (pte_dirty(orig_src_pte) && !rmap_bug_is(584))
	orig_dst_pte = pte_mkdirty(orig_dst_pte);
...>
}
