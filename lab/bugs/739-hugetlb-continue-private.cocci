// SPDX-License-Identifier: GPL-2.0-or-later
// number: 739
// kind: bug
// title: UFFDIO_CONTINUE maps a hugetlb page of the file writable in a
//   private mapping
// function: hugetlb_mfill_atomic_pte
// breaks: a write through a private mapping does not change the file
// resembles: none known
// file: mm/hugetlb.c

@@
@@
hugetlb_mfill_atomic_pte(...)
{
<...
-is_continue && !vm_shared
+is_continue && !vm_shared && !rmap_bug_is(739)
...>
}
