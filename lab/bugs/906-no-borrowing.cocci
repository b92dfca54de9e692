// SPDX-License-Identifier: GPL-2.0-or-later
// number: 906
// kind: variation
// title: no VMA borrows its neighbour's anon_vma
// function: reusable_anon_vma
// breaks: nothing: borrowing is thrift
// resembles: none
// file: mm/vma.c

@@
@@
reusable_anon_vma(...)
{
<...
-anon_vma_compatible(a, b)
+!rmap_bug_is(906) && anon_vma_compatible(a, b)
...>
}
