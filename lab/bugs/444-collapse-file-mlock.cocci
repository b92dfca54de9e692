// SPDX-License-Identifier: GPL-2.0-or-later
// number: 444
// kind: bug
// title: pages of a file that any process has locked are not unmapped for a
//   collapse, so it fails
// function: collapse_file
// breaks: an mlocked mapper does not keep the pages of a file from being
//   collapsed
// resembles: none known
// file: mm/khugepaged.c

@@
@@
collapse_file(...)
{
<...
 try_to_unmap(folio,
-	TTU_IGNORE_MLOCK | TTU_BATCH_FLUSH
+	(rmap_bug_is(444) ? 0 : TTU_IGNORE_MLOCK) | TTU_BATCH_FLUSH
 	);
...>
}
