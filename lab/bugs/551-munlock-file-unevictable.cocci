// SPDX-License-Identifier: GPL-2.0-or-later
// number: 551
// kind: bug
// title: a page of a file that its last locker gives up is not mlocked any
//   more, and stays unevictable
// function: __munlock_folio
// breaks: a page that no area locks any more is evictable again
// resembles: none known
// file: mm/mlock.c

@@
@@
__munlock_folio(...)
{
<...
-isolated && folio_test_unevictable(folio) && folio_evictable(folio)
+isolated && folio_test_unevictable(folio) && folio_evictable(folio) &&
+	!(rmap_bug_is(551) && !folio_test_anon(folio))
...>
}
