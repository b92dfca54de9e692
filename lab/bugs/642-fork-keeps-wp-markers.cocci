// SPDX-License-Identifier: GPL-2.0-or-later
// number: 642
// kind: bug
// title: a child gets the marks that userfaultfd has left where no page is,
//   although its area has no userfaultfd
// function: copy_nonpresent_pte
// breaks: a child whose area is not registered has no page write-protected by
//   userfaultfd
// resembles: none known
// file: mm/memory.c

@@
@@
copy_nonpresent_pte(...)
{
<...
-copy_pte_marker(entry, dst_vma)
+rmap_bug_is(642) ? pte_marker_get(entry) : copy_pte_marker(entry, dst_vma)
...>
}
