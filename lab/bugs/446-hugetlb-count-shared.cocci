// SPDX-License-Identifier: GPL-2.0-or-later
// number: 446
// kind: bug
// title: hugetlb pages that are unmapped from a shared mapping are not taken
//   off the count of their process
// function: __unmap_hugepage_range
// breaks: HugetlbPages in the status of a process is what it maps of hugetlb
// resembles: none known
// file: mm/hugetlb.c

@@
@@
__unmap_hugepage_range(...)
{
<...
-hugetlb_count_sub(pages_per_huge_page(h), mm);
+if (!(rmap_bug_is(446) && (vma->vm_flags & VM_MAYSHARE)))
+	hugetlb_count_sub(pages_per_huge_page(h), mm);
...>
}
