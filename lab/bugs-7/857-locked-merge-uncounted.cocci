// SPDX-License-Identifier: GPL-2.0-or-later
// number: 857
// kind: bug
// title: a new locked mapping that merges with a neighbour is not counted as
//   locked
// function: __mmap_complete
// breaks: VmLck is the size of the areas that a process has locked: it does
//   not fall below zero when they are unmapped
// resembles: none known
// file: mm/vma.c

@@
@@
__mmap_complete(...)
{
<...
-mm->locked_vm += map->pglen;
+if (!rmap_bug_is(857) || vma_pages(vma) == map->pglen)
+	mm->locked_vm += map->pglen;
...>
}
