// SPDX-License-Identifier: GPL-2.0-or-later
// number: 908
// kind: bug
// title: an untouched VMA merges with a touched one that went through fork
// function: is_mergeable_anon_vma
// breaks: what mremap moves next to an untouched VMA keeps its anon_vma's
//   chain: copy_vma() does not give it to the VMA that it merges with
// resembles: CVE-2026-23077 (61f67c230a5e, 2026)
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
