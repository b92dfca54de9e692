// SPDX-License-Identifier: GPL-2.0-or-later
// number: 151
// kind: bug
// title: poison in a file page is not told to private mappings
// function: collect_procs_file
// breaks: every process that maps a poisoned page is told
// resembles: "mm/memory-failure: collect processes" (2014): processes were
//   passed over
// file: mm/memory-failure.c

@@
@@
collect_procs_file(...)
{
<...
-if (vma->vm_mm != t->mm)
+if (vma->vm_mm != t->mm ||
+    (rmap_bug_is(151) && !(vma->vm_flags & VM_SHARED)))
 	continue;
...>
}
