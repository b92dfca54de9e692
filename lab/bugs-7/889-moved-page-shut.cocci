// SPDX-License-Identifier: GPL-2.0-or-later
// number: 889
// kind: bug
// title: UFFDIO_MOVE of a protected page leaves it protected, though it comes
//   to an area where nobody waits for that
// function: move_present_ptes
// breaks: a page is protected where userfaultfd was asked for it, and
//   nowhere else
// resembles: none known
// file: mm/userfaultfd.c

@@
@@
move_present_ptes(...)
{
<...
-orig_dst_pte = pte_mkwrite(orig_dst_pte, dst_vma);
+orig_dst_pte = pte_mkwrite(orig_dst_pte, dst_vma);
+if (rmap_bug_is(889) && pte_uffd(orig_src_pte))
+	orig_dst_pte = pte_mkuffd(pte_modify(orig_dst_pte, PAGE_NONE));
...>
}
