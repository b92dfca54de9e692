// SPDX-License-Identifier: GPL-2.0-or-later
// number: 620
// kind: bug
// title: the anon_vma of a mapping that leaves a merged page is not let go
// function: remove_rmap_item_from_tree
// breaks: anon_vmas are freed when nobody maps their pages any more
// resembles: none known
// file: mm/ksm.c

@@
@@
remove_rmap_item_from_tree(...)
{
<...
-put_anon_vma(rmap_item->anon_vma);
+if (!rmap_bug_is(620))
+	put_anon_vma(rmap_item->anon_vma);
...>
}
