// SPDX-License-Identifier: GPL-2.0-or-later
// number: 514
// kind: bug
// title: a shared page that a grandchild reads from swap starts from the
//   anon_vma of the parent, not from the oldest
// function: __folio_set_anon
// breaks: a page that the first of three generations shares in swap is found in
//   all of them, whichever reads it first
// resembles: none known
// file: mm/rmap.c

@@
@@
__folio_set_anon(...)
{
<...
-anon_vma->root
+(rmap_bug_is(514) ? anon_vma->parent : anon_vma->root)
...>
}
