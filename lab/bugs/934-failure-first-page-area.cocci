// SPDX-License-Identifier: GPL-2.0-or-later
// number: 934
// kind: bug
// title: of a failed page of a huge one that cannot be split, only those are
//   told whose area has the first page too
// function: collect_procs_anon
// breaks: who maps a poisoned page is told
// resembles: none known
// file: mm/memory-failure.c

@@
@@
collect_procs_anon(...)
{
<...
-pgoff = page_to_pgoff(page);
+pgoff = rmap_bug_is(934) ? folio->index : page_to_pgoff(page);
...>
}
