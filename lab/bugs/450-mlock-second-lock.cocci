// SPDX-License-Identifier: GPL-2.0-or-later
// number: 450
// kind: bug
// title: the lock of a second process on a page that is locked already is
//   not counted
// function: __mlock_folio
// breaks: a page stays mlocked as long as one locked area maps it
// resembles: 07ca76067308 (2022): mlock_count
// file: mm/mlock.c

@@
@@
__mlock_folio(...)
{
<...
-if (folio_test_mlocked(folio))
+if (folio_test_mlocked(folio) && !rmap_bug_is(450))
 	folio->mlock_count++;
...>
}
