// SPDX-License-Identifier: GPL-2.0-or-later
// number: 1014
// kind: bug
// title: an anon_vma that goes after the process of its parent has exited is
//   still counted as a child of it
// function: unlink_anon_vmas
// breaks: an anon_vma that lost its process and all its children but one is taken up
//   by the next fork
// resembles: b800c91a0517 (2015): the use counter of the wrong anon_vma
// file: mm/rmap.c

@@
@@
unlink_anon_vmas(...)
{
<...
-anon_vma->parent->num_children--;
+if (!rmap_bug_is(1014) || anon_vma->parent->num_active_vmas)
+	anon_vma->parent->num_children--;
...>
}
