// SPDX-License-Identifier: GPL-2.0-or-later
// number: 825
// kind: bug
// title: a page that userfaultfd protects from any access can be accessed
//   without a message once it was swapped out
// function: do_swap_page
// breaks: a page that UFFDIO_RWPROTECT protects comes back from swap so
// resembles: none known
// file: mm/memory.c

@@
@@
do_swap_page(...)
{
<...
-if (pte_swp_uffd(vmf->orig_pte) && userfaultfd_rwp(vma))
+if (pte_swp_uffd(vmf->orig_pte) && userfaultfd_rwp(vma) &&
+    !rmap_bug_is(825))
 { ... }
...>
}
