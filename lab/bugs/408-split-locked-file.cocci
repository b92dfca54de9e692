// SPDX-License-Identifier: GPL-2.0-or-later
// number: 408
// kind: bug
// title: a huge page of a file that is mapped into a locked area is not
//   split
// function: unmap_folio
// breaks: a huge tmpfs page can be split, locked mappings or not: a hole
//   punched into part of it gives the memory back
// resembles: none known
// file: mm/huge_memory.c

@@
@@
unmap_folio(...)
{
<...
-try_to_unmap(folio, ttu_flags | TTU_IGNORE_MLOCK);
+try_to_unmap(folio, ttu_flags |
+	     (rmap_bug_is(408) ? 0 : TTU_IGNORE_MLOCK));
...>
}
