// SPDX-License-Identifier: GPL-2.0-or-later
// number: 484
// kind: bug
// title: UFFDIO_WRITEPROTECT leaves no marks in a file mapping where there is
//   no page table yet
// function: pgtable_populate_needed
// breaks: a write to a page that userfaultfd write-protected before anybody
//   touched it is told to it
// resembles: none known
// file: mm/mprotect.c

@@
@@
pgtable_populate_needed(...)
{
<...
-if (!(cp_flags & MM_CP_UFFD_WP))
+if (!(cp_flags & MM_CP_UFFD_WP) ||
+    (rmap_bug_is(484) && !vma_is_anonymous(vma)))
 	return false;
...>
}
