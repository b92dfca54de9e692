// SPDX-License-Identifier: GPL-2.0-or-later
// number: 886
// kind: bug
// title: UFFDIO_MOVE of a page in swap does not protect it where it comes,
//   though the area is for protected pages
// function: move_swap_pte
// breaks: what comes to an area for protected pages is protected there, so
//   that nobody touches it unseen
// resembles: none known
// file: mm/userfaultfd.c

@@
expression V;
@@
move_swap_pte(...)
{
<...
-if (userfaultfd_rwp(V))
+if (userfaultfd_rwp(V) && !rmap_bug_is(886))
	orig_src_pte = pte_swp_mkuffd(orig_src_pte);
...>
}
