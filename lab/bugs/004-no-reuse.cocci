// SPDX-License-Identifier: GPL-2.0-or-later
// number: 4
// kind: bug
// title: an ancestor's abandoned anon_vma is never used again
// function: anon_vma_clone
// breaks: the number of anon_vmas is bounded however long a chain of
//   generations gets
// resembles: 7a3ef208e662 (v3.19): unbounded anon_vma hierarchy
// file: mm/rmap.c

@@
@@
anon_vma_clone(...)
{
<...
-anon_vma->num_active_vmas == 0
+(anon_vma->num_active_vmas == 0 && !rmap_bug_is(4))
...>
}
