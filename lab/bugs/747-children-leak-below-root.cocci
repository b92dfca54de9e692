// SPDX-License-Identifier: GPL-2.0-or-later
// number: 747
// kind: bug
// title: an anon_vma that goes is still counted as a child of its parent,
//   unless the parent is the oldest of the chain
// function: unlink_anon_vmas
// breaks: the number of anon_vma objects is bounded in long chains of
//   generations, also when each generation had other children that have
//   gone
// resembles: none known
// file: mm/rmap.c

@@
@@
unlink_anon_vmas(...)
{
<...
-anon_vma->parent->num_children--;
+if (!rmap_bug_is(747) || anon_vma->parent == anon_vma->root)
+	anon_vma->parent->num_children--;
...>
}
