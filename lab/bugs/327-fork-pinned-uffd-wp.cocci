// SPDX-License-Identifier: GPL-2.0-or-later
// number: 327
// kind: bug
// title: the copy of a pinned page is not write-protected in the child as the page is
// function: copy_present_page
// breaks: write protection is inherited with the userfaultfd
// resembles: none known
// file: mm/memory.c

@@
@@
copy_present_page(...)
{
<...
-if (userfaultfd_pte_wp(dst_vma, ptep_get(src_pte)))
+if (userfaultfd_pte_wp(dst_vma, ptep_get(src_pte)) && !rmap_bug_is(327))
 	pte = pte_mkuffd_wp(pte);
...>
}
