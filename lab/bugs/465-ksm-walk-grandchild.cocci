// SPDX-License-Identifier: GPL-2.0-or-later
// number: 465
// kind: bug
// title: the walk of a KSM page finds the children forked since the merge,
//   but not their children
// function: rmap_walk_ksm
// breaks: a KSM page is found in all processes that map it, also in the
//   grandchildren of the one whose page was merged
// resembles: none known
// file: mm/ksm.c

@@
@@
rmap_walk_ksm(...)
{
<...
 if ((rmap_item->mm == vma->vm_mm) == search_new_forks)
 	continue;
+
+if (rmap_bug_is(465) && search_new_forks && vma->anon_vma &&
+    vma->anon_vma->parent != anon_vma)
+	continue;
...>
}
