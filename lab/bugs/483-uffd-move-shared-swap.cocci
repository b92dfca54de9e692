// SPDX-License-Identifier: GPL-2.0-or-later
// number: 483
// kind: bug
// title: UFFDIO_MOVE takes a page in swap that a fork shares when source and
//   destination have one anon_vma
// function: move_pages_pte
// breaks: UFFDIO_MOVE refuses pages that are not the process's own; all
//   mappers of a page have it at its index
// resembles: none known
// file: mm/userfaultfd.c

@@
@@
move_pages_pte(...)
{
<...
-if (!pte_swp_exclusive(orig_src_pte))
+if (!pte_swp_exclusive(orig_src_pte) &&
+    !(rmap_bug_is(483) && src_vma->anon_vma == dst_vma->anon_vma))
 {
 	err = -EBUSY;
 	goto out;
 }
...>
}
