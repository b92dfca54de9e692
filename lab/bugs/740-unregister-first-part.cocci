// SPDX-License-Identifier: GPL-2.0-or-later
// number: 740
// kind: bug
// title: when the first part of an area leaves its userfaultfd, the rest,
//   which stays registered, loses the write protection of its pages
// function: userfaultfd_clear_vma
// breaks: pages stay write-protected by userfaultfd until their own range
//   is unprotected or unregistered
// resembles: none known
// file: mm/userfaultfd.c

@@
@@
userfaultfd_clear_vma(...)
{
<...
-uffd_wp_range(vma, start, end - start, false);
+uffd_wp_range(vma, start,
+	      (rmap_bug_is(740) ? vma->vm_end : end) - start, false);
...>
}
