// SPDX-License-Identifier: GPL-2.0-or-later
// number: 778
// kind: bug
// title: when the end or the middle of an area is moved by mremap, what
//   remains before it is not accounted (VM_ACCOUNT) any more
// function: move_vma
// breaks: what remains of an area that was moved in part is what it was: it
//   merges with its like, and its memory is taken off Committed_AS when it
//   is unmapped
// resembles: none known
// file: mm/mremap.c

@@
@@
move_vma(...)
{
<...
-if (vma->vm_start < old_addr)
+if (vma->vm_start < old_addr && !rmap_bug_is(778))
 	account_start = true;
...>
}
