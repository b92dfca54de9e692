// SPDX-License-Identifier: GPL-2.0-or-later
// number: 787
// kind: bug
// title: smaps does not count a page as Referenced whose accessed bits idle
//   tracking has taken and noted with the page
// function: smaps_account
// breaks: a page that was accessed is Referenced in smaps, also after it
//   was marked idle
// resembles: none known
// file: fs/proc/task_mmu.c

@@
@@
smaps_account(...)
{
<...
-folio_test_young(folio)
+(folio_test_young(folio) && !rmap_bug_is(787))
...>
}
