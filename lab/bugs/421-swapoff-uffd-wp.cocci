// SPDX-License-Identifier: GPL-2.0-or-later
// number: 421
// kind: bug
// title: a page that swapoff brings back has lost the write protection of
//   userfaultfd
// function: unuse_pte
// breaks: swapoff keeps the write protection of userfaultfd
// resembles: none known
// file: mm/swapfile.c

@@
@@
unuse_pte(...)
{
<...
-if (pte_swp_uffd_wp(old_pte))
+if (pte_swp_uffd_wp(old_pte) && !rmap_bug_is(421))
 	new_pte = pte_mkuffd_wp(new_pte);
...>
}
