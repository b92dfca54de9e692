// SPDX-License-Identifier: GPL-2.0-or-later
// number: 80
// kind: bug
// title: a shared page swapped in starts from the anon_vma of the process
//   that came first
// function: __folio_set_anon
// breaks: a shared page starts from the oldest anon_vma
// resembles: ea90002b0fa7 (2010): a shared page must use the oldest anon_vma
// file: mm/rmap.c

@@
@@
__folio_set_anon(...)
{
<...
-!exclusive
+!exclusive && !rmap_bug_is(80)
...>
}
