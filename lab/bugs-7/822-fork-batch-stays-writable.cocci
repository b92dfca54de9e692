// SPDX-License-Identifier: GPL-2.0-or-later
// number: 822
// kind: bug
// title: a fork leaves the pages of a large folio writable that come behind
//   one that is read-only already
// function: copy_present_ptes
// breaks: after a fork no page that is shared is writable, and a write of
//   the parent is not seen by the child
// resembles: none known
// file: mm/memory.c

@@
@@
copy_present_ptes(...)
{
<...
-FPB_MERGE_WRITE
+(rmap_bug_is(822) ? 0 : FPB_MERGE_WRITE)
...>
}
