// SPDX-License-Identifier: GPL-2.0-or-later
// number: 680
// kind: bug
// title: of several locked areas that one munmap takes only the last is taken
//   off what the process has locked
// function: vms_gather_munmap_vmas
// breaks: VmLck is what the locked areas of a process have
// resembles: none known
// file: mm/vma.c

@@
@@
vms_gather_munmap_vmas(...)
{
<...
-vms->locked_vm += nrpages;
+vms->locked_vm = rmap_bug_is(680) ? nrpages : vms->locked_vm + nrpages;
...>
}
