// SPDX-License-Identifier: GPL-2.0-or-later
// number: 805
// kind: bug
// title: a child gets no guard pages: those of its parent are plain holes
//   in it
// function: copy_nonpresent_pte
// breaks: a guard page is one in the child as well: a touch there gets
//   SIGSEGV, and pagemap shows it
// resembles: none known
// file: mm/memory.c

@@
statement S;
@@
copy_nonpresent_pte(...)
{
<...
+if (rmap_bug_is(805))
+	marker &= ~PTE_MARKER_GUARD;
 if (marker) S
...>
}
