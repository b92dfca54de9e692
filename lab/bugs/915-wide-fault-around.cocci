// SPDX-License-Identifier: GPL-2.0-or-later
// number: 915
// kind: variation
// title: a read fault maps the pages around it in the whole page table
// function: do_fault_around
// breaks: nothing: as with fault_around_bytes of 2 MiB
// resembles: none
// file: mm/memory.c

@@
@@
do_fault_around(...)
{
<...
-READ_ONCE(fault_around_pages)
+(rmap_bug_is(915) ? PTRS_PER_PTE : READ_ONCE(fault_around_pages))
...>
}
