// SPDX-License-Identifier: GPL-2.0-or-later
// number: 250
// kind: bug
// title: a large folio in a locked area is swapped out
// function: try_to_unmap_one
// breaks: a locked page stays in memory
// resembles: none known
// file: mm/rmap.c

@@
@@
try_to_unmap_one(...)
{
<...
-!(flags & TTU_IGNORE_MLOCK)
+!((flags & TTU_IGNORE_MLOCK) ||
+  (rmap_bug_is(250) && folio_test_large(folio)))
...>
}
