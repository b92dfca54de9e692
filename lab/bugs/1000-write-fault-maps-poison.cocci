// SPDX-License-Identifier: GPL-2.0-or-later
// number: 1000
// kind: bug
// title: a write fault maps, or copies, a poisoned page of a tmpfs file; only
//   read faults look for poison
// function: __do_fault
// breaks: nobody maps a poisoned page of a file: a touch, a write as well,
//   gets SIGBUS
// resembles: none known
// file: mm/memory.c

@@
@@
__do_fault(...)
{
<...
-PageHWPoison(vmf->page)
+(PageHWPoison(vmf->page) &&
+ !(rmap_bug_is(1000) && (vmf->flags & FAULT_FLAG_WRITE)))
...>
}
