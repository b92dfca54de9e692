// SPDX-License-Identifier: GPL-2.0-or-later
// number: 201
// kind: bug
// title: the new half of a VMA split in a grandchild is not linked to the
//   anon_vmas between the oldest and its own
// function: anon_vma_clone
// breaks: every VMA that can hold a page is linked to the anon_vma the page
//   starts from
// resembles: 5beb49305251 and its follow-ups (2010): chains that miss an
//   ancestor
// file: mm/rmap.c

@@
@@
anon_vma_clone(...)
{
<...
+if (rmap_bug_is(201) && dst->anon_vma &&
+    pavc->anon_vma != src->anon_vma &&
+    pavc->anon_vma != pavc->anon_vma->root)
+	continue;
 avc = anon_vma_chain_alloc(GFP_NOWAIT | __GFP_NOWARN);
...>
}
