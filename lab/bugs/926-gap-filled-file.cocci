// SPDX-License-Identifier: GPL-2.0-or-later
// number: 926
// kind: bug
// title: a mapping of a file that fills the gap between an untouched area and
//   one with copies makes one area of them that has no anon_vma
// function: vma_expand
// breaks: an area that two merge into has the anon_vmas of both
// resembles: none known
// file: mm/vma.c

@@
@@
vma_expand(...)
{
<...
-dup_anon_vma(vma, next, &anon_dup)
+(rmap_bug_is(926) && vma->vm_file ? 0 : dup_anon_vma(vma, next, &anon_dup))
...>
}
