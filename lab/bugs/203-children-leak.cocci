// SPDX-License-Identifier: GPL-2.0-or-later
// number: 203
// kind: bug
// title: an anon_vma that goes is still counted as a child of its parent
// function: unlink_anon_vmas
// breaks: the number of anon_vma objects is bounded in long chains of
//   generations
// resembles: b800c91a0517 (2015): a counter credited to the wrong anon_vma
// file: mm/rmap.c

@@
@@
unlink_anon_vmas(...)
{
<...
-anon_vma->parent->num_children--;
+if (!rmap_bug_is(203) || anon_vma->parent == anon_vma)
+	anon_vma->parent->num_children--;
...>
}
