// SPDX-License-Identifier: GPL-2.0-or-later
// number: 627
// kind: bug
// title: a child is not linked to the oldest anon_vma of its chain when
//   the process that it came from has gone
// function: anon_vma_clone
// breaks: a page that two descendants share is found in both, also when
//   the process that made it has gone before they parted
// resembles: none known
// file: mm/rmap.c

@@
@@
anon_vma_clone(...)
{
<...
+if (rmap_bug_is(627) && !dst->anon_vma && src->anon_vma &&
+    pavc->anon_vma == pavc->anon_vma->root &&
+    !pavc->anon_vma->num_active_vmas) {
+	/* Nobody shall use it after it is freed: that would be loud. */
+	get_anon_vma(pavc->anon_vma);
+	continue;
+}
 avc = anon_vma_chain_alloc(GFP_NOWAIT | __GFP_NOWARN);
...>
}
