// SPDX-License-Identifier: GPL-2.0-or-later
// number: 508
// kind: bug
// title: a child gets fresh pages where UFFDIO_POISON has marked the parent's
//   as poisoned
// function: copy_nonpresent_pte
// breaks: what UFFDIO_POISON has marked raises SIGBUS in a child, too
// resembles: none known
// file: mm/memory.c

@@
@@
copy_nonpresent_pte(...)
{
<...
 pte_marker marker = copy_pte_marker(entry, dst_vma);
+
+if (rmap_bug_is(508))
+	marker &= ~PTE_MARKER_POISONED;
...>
}
