// SPDX-License-Identifier: GPL-2.0-or-later
// number: 682
// kind: bug
// title: a fork passes over the private hugetlb pages that lie behind a hole,
//   up to the next GiB
// function: copy_hugetlb_page_range
// breaks: a child has all the private hugetlb pages of its parent
// resembles: none known
// file: mm/hugetlb.c

@@
@@
copy_hugetlb_page_range(...)
{
<...
 src_pte = hugetlb_walk(src_vma, addr, sz);
+if (rmap_bug_is(682) && cow && src_pte && huge_pte_none(huge_ptep_get(src, addr, src_pte)))
+	src_pte = NULL;
...>
}
