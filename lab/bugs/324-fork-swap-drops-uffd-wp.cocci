// SPDX-License-Identifier: GPL-2.0-or-later
// number: 324
// kind: bug
// title: a page in swap is write-protected by userfaultfd in the parent only, where both should have it
// function: copy_nonpresent_pte
// breaks: write protection is inherited with the userfaultfd
// resembles: none known
// file: mm/memory.c

@@
@@
copy_nonpresent_pte(...)
{
<...
-if (!userfaultfd_wp(dst_vma))
+if (!userfaultfd_wp(dst_vma) || rmap_bug_is(324))
 	pte = pte_swp_clear_uffd_wp(pte);
...>
}
