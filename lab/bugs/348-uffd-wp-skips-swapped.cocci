// SPDX-License-Identifier: GPL-2.0-or-later
// number: 348
// kind: bug
// title: UFFDIO_WRITEPROTECT passes over pages that are in swap
// function: change_pte_range
// breaks: a page of a protected range is write-protected by userfaultfd
//   wherever it is
// resembles: none known
// file: mm/mprotect.c

@@
@@
change_pte_range(...)
{
<...
-if (uffd_wp)
+if (uffd_wp && !rmap_bug_is(348))
 	newpte = pte_swp_mkuffd_wp(newpte);
 else if (uffd_wp_resolve)
 	newpte = pte_swp_clear_uffd_wp(newpte);
...>
}
