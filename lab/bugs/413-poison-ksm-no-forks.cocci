// SPDX-License-Identifier: GPL-2.0-or-later
// number: 413
// kind: bug
// title: poison in a KSM page is not told to processes forked since the
//   merge
// function: collect_procs_ksm
// breaks: poison is told to every process that maps the page and wants to
//   know
// resembles: 4248d0083ec5 (2023) brought KSM to memory failure
// file: mm/ksm.c

@@
@@
collect_procs_ksm(...)
{
<...
-if (vma->vm_mm == t->mm) {
+if (vma->vm_mm == t->mm &&
+    (!rmap_bug_is(413) || rmap_item->mm == t->mm)) {
 	...
 }
...>
}
