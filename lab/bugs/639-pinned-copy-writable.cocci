// SPDX-License-Identifier: GPL-2.0-or-later
// number: 639
// kind: bug
// title: the copy that a child gets of a pinned page is writable in an area
//   that is read-only at the moment
// function: copy_present_page
// breaks: a child cannot write to an area that is read-only
// resembles: none known
// file: mm/memory.c

@@
@@
copy_present_page(...)
{
<...
 pte =
-	maybe_mkwrite(pte_mkdirty(pte), dst_vma)
+	rmap_bug_is(639) ? pte_mkwrite(pte_mkdirty(pte), dst_vma) : maybe_mkwrite(pte_mkdirty(pte), dst_vma)
 	;
...>
}
