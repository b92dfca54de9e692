// SPDX-License-Identifier: GPL-2.0-or-later
// number: 935
// kind: bug
// title: a huge page with hardly anything in it is not split when memory is
//   short if a child has it too
// function: deferred_split_scan
// breaks: memory that holds nothing is given back when memory is short
// resembles: none known
// file: mm/huge_memory.c

@@
@@
deferred_split_scan(...)
{
<...
-underused = thp_underused(folio);
+underused = thp_underused(folio) &&
+	!(rmap_bug_is(935) && folio_likely_mapped_shared(folio));
...>
}
