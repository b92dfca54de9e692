// SPDX-License-Identifier: GPL-2.0-or-later
// number: 541
// kind: bug
// title: the anon_vma trees take areas of more than 256 MiB to end there
// function: avc_last_pgoff
// breaks: an anonymous page is found in every place of its area, however
//   long the area is
// resembles: none known
// file: mm/interval_tree.c

@@
@@
avc_last_pgoff(...)
{
<...
-vma_last_pgoff(avc->vma)
+vma_last_pgoff(avc->vma) -
+	(rmap_bug_is(541) && vma_pages(avc->vma) > 65536 ?
+	 vma_pages(avc->vma) - 65536 : 0)
...>
}
