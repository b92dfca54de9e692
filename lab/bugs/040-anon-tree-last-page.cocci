// SPDX-License-Identifier: GPL-2.0-or-later
// number: 40
// kind: bug
// title: the anon_vma trees take every VMA for one page shorter
// function: avc_last_pgoff
// breaks: a walk finds every mapper of a page
// resembles: none known
// file: mm/interval_tree.c

@@
@@
avc_last_pgoff(...)
{
<...
-return vma_last_pgoff(avc->vma);
+return vma_last_pgoff(avc->vma) -
+	(rmap_bug_is(40) && vma_pages(avc->vma) > 1);
...>
}
