// SPDX-License-Identifier: GPL-2.0-or-later
// number: 691
// kind: bug
// title: the child of a fork gets the pages of a droppable area
// function: do_mmap
// breaks: a droppable area is empty for the child of a fork
// resembles: none known
// file: mm/mmap.c

@@
@@
do_mmap(...)
{
<...
-vm_flags |= VM_WIPEONFORK | VM_DONTDUMP;
+vm_flags |= VM_DONTDUMP;
+if (!rmap_bug_is(691))
+	vm_flags |= VM_WIPEONFORK;
...>
}
