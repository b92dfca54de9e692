// SPDX-License-Identifier: GPL-2.0-or-later
// number: 851
// kind: bug
// title: the walk of a KSM page ends at the first entry whose process does not
//   have the area any more, where it should pass over that one only
// function: rmap_walk_ksm
// breaks: a walk finds every mapper of a page, also when another process that
//   the page was merged for has unmapped its area or is gone
// resembles: none known
// file: mm/ksm.c

@@
@@
rmap_walk_ksm(...)
{
<...
 struct vm_area_struct *vma;
+bool covered = false;
...>
}

@@
@@
rmap_walk_ksm(...)
{
<...
+if (rmap_item->mm == vma->vm_mm)
+	covered = true;
 if ((rmap_item->mm == vma->vm_mm) == search_new_forks)
	continue;
...>
}

@@
iterator name anon_rmap_tree_foreach;
statement S;
@@
rmap_walk_ksm(...)
{
<...
 anon_rmap_tree_foreach(...) S
 anon_vma_unlock_read(anon_vma);
+if (rmap_bug_is(851) && !covered)
+	return;
...>
}
