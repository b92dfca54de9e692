// SPDX-License-Identifier: GPL-2.0-or-later
// number: 491
// kind: bug
// title: of the hugetlb pages that MADV_DONTNEED unmaps only the first leaves
//   the mark that userfaultfd write-protects it
// function: __unmap_hugepage_range
// breaks: the write protection of userfaultfd outlasts MADV_DONTNEED in
//   hugetlb areas
// resembles: none known
// file: mm/hugetlb.c

@@
@@
__unmap_hugepage_range(...)
{
<...
-if (huge_pte_uffd_wp(pte) && !(zap_flags & ZAP_FLAG_DROP_MARKER))
+if (huge_pte_uffd_wp(pte) && !(zap_flags & ZAP_FLAG_DROP_MARKER) &&
+    !(rmap_bug_is(491) && address != start))
 	set_huge_pte_at(mm, address, ptep,
 			make_pte_marker(PTE_MARKER_UFFD_WP),
 			sz);
...>
}
