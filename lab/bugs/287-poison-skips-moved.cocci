// SPDX-License-Identifier: GPL-2.0-or-later
// number: 287
// kind: bug
// title: poison in an anonymous page is not told to processes that have
//   moved the area
// function: collect_procs_anon
// breaks: every process that maps a poisoned page is told
// resembles: none known
// file: mm/memory-failure.c

@@
@@
collect_procs_anon(...)
{
<...
-if (vma->vm_mm != t->mm)
+if (vma->vm_mm != t->mm ||
+    (rmap_bug_is(287) &&
+     vma->vm_pgoff != vma->vm_start >> PAGE_SHIFT))
 	continue;
...>
}
