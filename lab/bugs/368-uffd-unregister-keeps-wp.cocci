// SPDX-License-Identifier: GPL-2.0-or-later
// number: 368
// kind: bug
// title: an area that leaves its userfaultfd keeps the write protection of its
//   pages
// function: userfaultfd_clear_vma
// breaks: a page is write-protected by userfaultfd for who asked for it only:
//   pagemap still shows the bit, and an area that is registered anew raises
//   events for pages that it did not protect
// resembles: none known
// file: mm/userfaultfd.c

@@
@@
userfaultfd_clear_vma(...)
{
<...
-if (userfaultfd_wp(vma))
+if (userfaultfd_wp(vma) && !rmap_bug_is(368))
 	uffd_wp_range(vma, start, end - start, false);
...>
}
