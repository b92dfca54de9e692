// SPDX-License-Identifier: GPL-2.0-or-later
// number: 977
// kind: bug
// title: a memory failure does not unmap the page from locked areas
// function: unmap_poisoned_folio
// breaks: nobody maps a poisoned page any more, those neither who lock it
// resembles: none known
// file: mm/memory-failure.c

@@
@@
unmap_poisoned_folio(...)
{
<...
-TTU_IGNORE_MLOCK
+(rmap_bug_is(977) ? 0 : TTU_IGNORE_MLOCK)
...>
}
