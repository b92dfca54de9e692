// SPDX-License-Identifier: GPL-2.0-or-later
// number: 322
// kind: bug
// title: the child's pages stay write-protected by userfaultfd, without one
// function: __copy_present_ptes
// breaks: a page is write-protected by userfaultfd for who asked for it only
// resembles: none known
// file: mm/memory.c

@@
@@
__copy_present_ptes(...)
{
<...
-if (!userfaultfd_wp(dst_vma))
+if (!userfaultfd_wp(dst_vma) && !rmap_bug_is(322))
 	pte = pte_clear_uffd_wp(pte);
...>
}
