// SPDX-License-Identifier: GPL-2.0-or-later
// number: 618
// kind: bug
// title: a page that comes back from swap has lost the write protection
//   of userfaultfd
// function: do_swap_page
// breaks: a page that userfaultfd write-protects is so still when it has
//   been in swap
// resembles: none known
// file: mm/memory.c

@@
@@
do_swap_page(...)
{
<...
 if (
-	pte_swp_uffd_wp(vmf->orig_pte)
+	pte_swp_uffd_wp(vmf->orig_pte) && !rmap_bug_is(618)
    )
 	pte = pte_mkuffd_wp(pte);
...>
}
