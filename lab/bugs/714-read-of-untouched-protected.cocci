// SPDX-License-Identifier: GPL-2.0-or-later
// number: 714
// kind: bug
// title: a read of an untouched page that userfaultfd write-protects
//   (UFFD_FEATURE_WP_UNPOPULATED) ends the protection
// function: do_anonymous_page
// breaks: userfaultfd hears of the first write to a page that it
//   write-protects, also if the page was read before
// resembles: none known
// file: mm/memory.c

@@
@@
do_anonymous_page(...)
{
<...
 if (
-	vmf_orig_pte_uffd_wp(vmf)
+	vmf_orig_pte_uffd_wp(vmf) && !(rmap_bug_is(714) && !(vmf->flags & FAULT_FLAG_WRITE))
    )
 	entry = pte_mkuffd_wp(entry);
...>
}
