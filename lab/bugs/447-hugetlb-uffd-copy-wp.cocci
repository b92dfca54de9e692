// SPDX-License-Identifier: GPL-2.0-or-later
// number: 447
// kind: bug
// title: a hugetlb page that userfaultfd fills in write-protected is not
//   marked as such
// function: hugetlb_mfill_atomic_pte
// breaks: a page that UFFDIO_COPY or UFFDIO_CONTINUE installs with write
//   protection reports the first write to it
// resembles: 6041c6917903 (2022): UFFDIO_COPY_MODE_WP for hugetlb
// file: mm/hugetlb.c

@@
@@
hugetlb_mfill_atomic_pte(...)
{
<...
-if (wp_enabled)
+if (wp_enabled && !rmap_bug_is(447))
 	_dst_pte = huge_pte_mkuffd_wp(_dst_pte);
...>
}
