// SPDX-License-Identifier: GPL-2.0-or-later
// number: 429
// kind: bug
// title: an anonymous area that was moved cannot grow in place, because the
//   new part's page offset is taken from the address
// function: vma_merge_extend
// breaks: an area that was moved grows in place when the addresses behind it
//   are free
// resembles: none known
// file: mm/vma.c

@@
@@
vma_merge_extend(...)
{
<...
 vmg.vma = NULL;
+if (rmap_bug_is(429) && vma_is_anonymous(vma))
+	vmg.pgoff = vma->vm_end >> PAGE_SHIFT;
...>
}
