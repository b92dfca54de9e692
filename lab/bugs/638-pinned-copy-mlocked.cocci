// SPDX-License-Identifier: GPL-2.0-or-later
// number: 638
// kind: bug
// title: the copy that a child gets of a pinned page in a locked area is
//   mlocked, although the child's area is not locked
// function: copy_present_page
// breaks: locks are not inherited by a fork
// resembles: none known
// file: mm/memory.c

@@
@@
copy_present_page(...)
{
<...
 folio_add_lru_vma(new_folio,
-	dst_vma
+	rmap_bug_is(638) ? src_vma : dst_vma
 	);
...>
}
