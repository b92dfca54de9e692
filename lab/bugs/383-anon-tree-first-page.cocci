// SPDX-License-Identifier: GPL-2.0-or-later
// number: 383
// kind: bug
// title: the anon_vma trees take VMAs of 2 MiB and more to begin one page
//   later
// function: avc_start_pgoff
// breaks: a walk finds every mapper of a page, be it the first page of a
//   VMA
// resembles: none known
// file: mm/interval_tree.c

@@
@@
avc_start_pgoff(...)
{
<...
-return vma_start_pgoff(avc->vma);
+return vma_start_pgoff(avc->vma) +
+	(rmap_bug_is(383) && vma_pages(avc->vma) >= 512);
...>
}
