// SPDX-License-Identifier: GPL-2.0-or-later
// number: 699
// kind: bug
// title: an area that was mapped with MAP_NORESERVE is charged when it becomes
//   writable
// function: mprotect_fixup
// breaks: what was mapped without a promise has none when it becomes writable
// resembles: none known
// file: mm/mprotect.c

@@
expression oldflags;
statement S;
@@
mprotect_fixup(...)
{
<...
-if (!(oldflags & (VM_ACCOUNT|VM_WRITE|VM_HUGETLB|VM_SHARED|VM_NORESERVE)))
+if (!(oldflags & (VM_ACCOUNT|VM_WRITE|VM_HUGETLB|VM_SHARED|(rmap_bug_is(699) ? 0 : VM_NORESERVE))))
	S
...>
}
