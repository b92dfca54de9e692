// SPDX-License-Identifier: GPL-2.0-or-later
// number: 837
// kind: bug
// title: PAGEMAP_SCAN shows marks of any kind (UFFDIO_POISON, userfaultfd's
//   write protection where no page is) as guard pages
// function: pagemap_page_category
// breaks: PAGEMAP_SCAN shows as guard pages those that are, as pagemap does
// resembles: none known
// file: fs/proc/task_mmu.c

@@
@@
pagemap_page_category(...)
{
<...
-softleaf_is_guard_marker(entry)
+(softleaf_is_guard_marker(entry) ||
+	(rmap_bug_is(837) && softleaf_is_marker(entry)))
...>
}
