// SPDX-License-Identifier: GPL-2.0-or-later
// number: 403
// kind: bug
// title: pages that are moved with their whole page table stay
//   write-protected by userfaultfd, without one
// function: move_page_tables
// breaks: an area that leaves its userfaultfd by mremap leaves the write
//   protection behind
// resembles: 0cef0bb836e3 (CVE-2025-21696): write protection that survives
//   mremap
// file: mm/mremap.c

@@
expression E;
@@
move_page_tables(...)
{
<...
 uffd_supports_move = E;
+if (rmap_bug_is(403))
+	uffd_supports_move = true;
...>
}
