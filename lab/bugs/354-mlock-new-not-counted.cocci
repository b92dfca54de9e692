// SPDX-License-Identifier: GPL-2.0-or-later
// number: 354
// kind: bug
// title: the lock of the area in which a page was born is not counted
// function: __mlock_new_folio
// breaks: a page stays mlocked while a mapper locks it: touch in a locked
//   area, fork, the child locks, and one munlock of the two unlocks the page
//   for both
// resembles: none known
// file: mm/mlock.c

@@
@@
__mlock_new_folio(...)
{
<...
-folio->mlock_count = !!folio_test_mlocked(folio);
+folio->mlock_count = !rmap_bug_is(354) && folio_test_mlocked(folio);
...>
}
