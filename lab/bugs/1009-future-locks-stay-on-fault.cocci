// SPDX-License-Identifier: GPL-2.0-or-later
// number: 1009
// kind: bug
// title: mlockall and munlockall do not take a former MCL_ONFAULT off the
//   flags of future areas
// function: apply_mlockall_flags
// breaks: each mlockall, and munlockall, says anew how future areas are locked
// resembles: none known
// file: mm/mlock.c

@@
@@
apply_mlockall_flags(...)
{
<...
 current->mm->def_flags &=
-~VM_LOCKED_MASK
+(rmap_bug_is(1009) ? ~VM_LOCKED : ~VM_LOCKED_MASK)
 ;
...>
}
