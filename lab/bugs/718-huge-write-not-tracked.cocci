// SPDX-License-Identifier: GPL-2.0-or-later
// number: 718
// kind: bug
// title: a write through a huge entry in an area with asynchronous write
//   protection (UFFD_FEATURE_WP_ASYNC) leaves the protection mark, so that
//   PAGEMAP_SCAN does not see the page as written
// function: wp_huge_pmd
// breaks: PAGEMAP_SCAN tells what was written since it was write-protected
// resembles: none known
// file: mm/memory.c

@@
@@
wp_huge_pmd(...)
{
<...
 if (userfaultfd_wp_async(vmf->vma))
-	goto split;
+{
+	if (rmap_bug_is(718))
+		return do_huge_pmd_wp_page(vmf);
+	goto split;
+}
...>
}
