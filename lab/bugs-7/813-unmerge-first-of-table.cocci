// SPDX-License-Identifier: GPL-2.0-or-later
// number: 813
// kind: bug
// title: MADV_UNMERGEABLE and mremap unmerge only the first merged page of
//   each page table
// function: break_ksm
// breaks: no page of an area is merged after MADV_UNMERGEABLE, nor after a
//   move
// resembles: none known
// file: mm/ksm.c

@@
@@
break_ksm(...)
{
<...
 ret = handle_mm_fault(...);
+if (rmap_bug_is(813) && lock_vma) {
+	addr = pmd_addr_end(addr, end);
+	if (addr == end)
+		return 0;
+}
...>
}
