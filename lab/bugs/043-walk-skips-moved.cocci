// SPDX-License-Identifier: GPL-2.0-or-later
// number: 43
// kind: bug
// title: the walk of an anonymous page passes over VMAs that were moved
// function: rmap_walk_anon
// breaks: a walk finds every mapper of a page
// resembles: the rmap_walk_ksm series of 2026 had this in the KSM walk
// file: mm/rmap.c

@@
statement S;
@@
rmap_walk_anon(...)
{
<...
+if (rmap_bug_is(43) && vma_is_anonymous(vma) &&
+    vma->vm_pgoff != vma->vm_start >> PAGE_SHIFT)
+	continue;
 if (!rwc->rmap_one(folio, vma, address, rwc->arg)) S
...>
}
