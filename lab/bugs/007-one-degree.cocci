// SPDX-License-Identifier: GPL-2.0-or-later
// number: 7
// kind: bug
// title: one number counts children and users, so an anon_vma in use passes
//   for a free one
// function: anon_vma_clone
// breaks: an anon_vma in use is not given away for reuse
// resembles: 2555283eb40d (v6.0, CVE-2022-42703): an anon_vma reused twice
// file: mm/rmap.c

@@
@@
anon_vma_clone(...)
{
<...
-anon_vma->num_children < 2
+(rmap_bug_is(7) || anon_vma->num_children < 2)
...>
}
@@
@@
anon_vma_clone(...)
{
<...
-anon_vma->num_active_vmas
+(rmap_bug_is(7) ? anon_vma == src->anon_vma ||
+ anon_vma->num_children + anon_vma->num_active_vmas > 1 :
+ anon_vma->num_active_vmas)
 == 0
...>
}
