// SPDX-License-Identifier: GPL-2.0-or-later
// number: 909
// kind: variation
// title: an abandoned anon_vma is used again although it has two children
// function: anon_vma_clone
// breaks: nothing: walks take longer
// resembles: none
// file: mm/rmap.c

@@
@@
anon_vma_clone(...)
{
<...
-anon_vma->num_children < 2
+anon_vma->num_children < (rmap_bug_is(909) ? 3 : 2)
...>
}
