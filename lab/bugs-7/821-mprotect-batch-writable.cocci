// SPDX-License-Identifier: GPL-2.0-or-later
// number: 821
// kind: bug
// title: mprotect makes the shared pages of a large folio writable when
//   they come behind exclusive ones of the same batch
// function: commit_anon_folio_batch
// breaks: a page that two processes share is writable in none, whatever its
//   neighbours are
// resembles: none known
// file: mm/mprotect.c

@@
@@
commit_anon_folio_batch(...)
{
<...
 len = page_anon_exclusive_batch(...);
+if (rmap_bug_is(821) && expected_anon_exclusive)
+	len = nr_ptes;
...>
}
