// SPDX-License-Identifier: GPL-2.0-or-later
// number: 649
// kind: bug
// title: UFFDIO_WRITEPROTECT of the first part of a huge page
//   write-protects all of it
// function: change_pmd_range
// breaks: UFFDIO_WRITEPROTECT protects the pages of its range only
// resembles: none known
// file: mm/mprotect.c

@@
expression A, N;
@@
change_pmd_range(...)
{
<...
-(N - A != HPAGE_PMD_SIZE)
+(rmap_bug_is(649) && (cp_flags & MM_CP_UFFD_WP) ?
+	(A & ~HPAGE_PMD_MASK) != 0 : N - A != HPAGE_PMD_SIZE)
...>
}
