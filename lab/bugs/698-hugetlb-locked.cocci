// SPDX-License-Identifier: GPL-2.0-or-later
// number: 698
// kind: bug
// title: an area of hugetlb memory is called locked, and counted as such
// function: mlock_fixup
// breaks: hugetlb memory is not called locked
// resembles: none known
// file: mm/mlock.c

@@
expression vma;
@@
mlock_fixup(...)
{
<...
-!vma_supports_mlock(vma)
+(!vma_supports_mlock(vma) && !(rmap_bug_is(698) && is_vm_hugetlb_page(vma)))
...>
}
