// SPDX-License-Identifier: GPL-2.0-or-later
// number: 53
// kind: bug
// title: the walk of a KSM page looks for VMAs by the address, not by the
//   page offset
// function: rmap_walk_ksm
// breaks: a walk finds every mapper of a page
// resembles: the rmap_walk_ksm series of 2026, caught in review
// file: mm/ksm.c

@@
statement S;
@@
rmap_walk_ksm(...)
{
<...
+if (rmap_bug_is(53) &&
+    (addr >> PAGE_SHIFT < vma->vm_pgoff ||
+     addr >> PAGE_SHIFT >= vma->vm_pgoff + vma_pages(vma)))
+	continue;
 if (rwc->invalid_vma && rwc->invalid_vma(vma, rwc->arg)) S
...>
}
