// SPDX-License-Identifier: GPL-2.0-or-later
// number: 328
// kind: bug
// title: reclaim of a file page leaves no mark of its write protection by
//   userfaultfd
// function: try_to_unmap_one
// breaks: a write-protected page of an object stays so when it comes back
// resembles: none known
// resembles: none known
// file: mm/rmap.c

@@
@@
try_to_unmap_one(...)
{
<...
-pte_install_uffd_wp_if_needed(vma, address, pvmw.pte, pteval);
+if (!rmap_bug_is(328))
+	pte_install_uffd_wp_if_needed(vma, address, pvmw.pte, pteval);
...>
}
