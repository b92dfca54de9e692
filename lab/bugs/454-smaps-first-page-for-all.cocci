// SPDX-License-Identifier: GPL-2.0-or-later
// number: 454
// kind: bug
// title: all pages of a huge page that is mapped whole count in smaps as
//   shared as its first page is
// function: smaps_account
// breaks: Pss, Private_* and Shared_* of smaps count each page by its own
//   mappers
// resembles: none known
// file: fs/proc/task_mmu.c

@@
@@
smaps_account(...)
{
<...
-folio_precise_page_mapcount(folio, page)
+folio_precise_page_mapcount(folio, rmap_bug_is(454) ? page - i : page)
...>
}
