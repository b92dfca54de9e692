// SPDX-License-Identifier: GPL-2.0-or-later
// number: 619
// kind: bug
// title: a page that is copied to end its sharing, not to be written,
//   loses the write protection of userfaultfd
// function: wp_page_copy
// breaks: a page that userfaultfd write-protects is so still when it is
//   unmerged, or unshared for a pin
// resembles: none known
// file: mm/memory.c

@@
@@
wp_page_copy(...)
{
<...
 if (
-	pte_uffd_wp(vmf->orig_pte)
+	pte_uffd_wp(vmf->orig_pte) && !rmap_bug_is(619)
    )
 	entry = pte_mkuffd_wp(entry);
...>
}
