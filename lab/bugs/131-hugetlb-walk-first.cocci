// SPDX-License-Identifier: GPL-2.0-or-later
// number: 131
// kind: bug
// title: the walk of a hugetlb file page ends after one VMA
// function: rmap_walk_file
// breaks: a walk finds every mapper of a page
// resembles: 7b7387650dcf (CVE-2025-40006) is about hugetlb pages still
//   mapped
// file: mm/rmap.c

@@
@@
rmap_walk_file(...)
{
+int bug_huge = 0;
...
}
@@
statement S;
@@
rmap_walk_file(...)
{
<...
+if (rmap_bug_is(131) && is_vm_hugetlb_page(vma) &&
+    bug_huge++)
+	goto done;
 if (!rwc->rmap_one(folio, vma, address, rwc->arg)) S
...>
}
