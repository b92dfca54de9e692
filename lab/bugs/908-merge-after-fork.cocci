// SPDX-License-Identifier: GPL-2.0-or-later
// number: 908
// kind: variation
// title: an untouched VMA merges with a touched one that went through fork
// function: is_mergeable_anon_vma
// breaks: nothing: the chain is copied
// resembles: 3b617fd3d317 (2026) forbids it for speed
// file: mm/vma.c

@@
expression E;
@@
is_mergeable_anon_vma(...)
{
<...
-list_is_singular(E)
+(rmap_bug_is(908) || list_is_singular(E))
...>
}
