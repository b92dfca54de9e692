// SPDX-License-Identifier: GPL-2.0-or-later
// number: 721
// kind: bug
// title: a locked area that grows while mremap moves it counts as locked with
//   its former length only
// function: move_vma
// breaks: VmLck is the size of the areas that a process has locked
// resembles: none known
// file: mm/mremap.c

@@
@@
move_vma(...)
{
<...
-mm->locked_vm += new_len >> PAGE_SHIFT;
+mm->locked_vm += (rmap_bug_is(721) ? min(old_len, new_len) : new_len) >> PAGE_SHIFT;
...>
}
