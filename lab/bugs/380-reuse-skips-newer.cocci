// SPDX-License-Identifier: GPL-2.0-or-later
// number: 380
// kind: bug
// title: a child that takes an abandoned anon_vma over is not linked to
//   those after it
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
+if (rmap_bug_is(380) && dst->anon_vma && dst->anon_vma != src->anon_vma)
+	break;
 avc = anon_vma_chain_alloc(GFP_NOWAIT | __GFP_NOWARN);
...>
}
