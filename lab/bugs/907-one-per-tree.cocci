// SPDX-License-Identifier: GPL-2.0-or-later
// number: 907
// kind: variation
// title: a whole family of processes shares one anon_vma
// function: anon_vma_clone
// breaks: nothing: as before 2.6.34; walks take longer
// resembles: none
// file: mm/rmap.c

@@
expression E1, E2;
@@
anon_vma_clone(...)
{
<...
 !dst->anon_vma && src->anon_vma && E1 &&
-E2
+(rmap_bug_is(907) || E2)
...>
}
