// SPDX-License-Identifier: GPL-2.0-or-later
// number: 795
// kind: bug
// title: munmap of a range takes the sealed areas in it along that do not
//   come first in it
// function: vms_gather_munmap_vmas
// breaks: a sealed area is not unmapped, and neither is anything of a range
//   that has one in it
// resembles: none known
// file: mm/vma.c

@@
@@
vms_gather_munmap_vmas(...)
{
<...
-can_modify_vma(next)
+(can_modify_vma(next) || (rmap_bug_is(795) && next != vms->vma))
...>
}
