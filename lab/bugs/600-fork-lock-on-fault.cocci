// SPDX-License-Identifier: GPL-2.0-or-later
// number: 600
// kind: bug
// title: a child's area keeps the mark that it is to be locked on fault,
//   without being locked
// function: dup_mmap
// breaks: a child inherits no locks, nothing of MLOCK_ONFAULT either
// resembles: none known
// file: kernel/fork.c

@@
@@
dup_mmap(...)
{
<...
-VM_LOCKED_MASK
+(rmap_bug_is(600) ? VM_LOCKED : VM_LOCKED_MASK)
...>
}
