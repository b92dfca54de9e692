// SPDX-License-Identifier: GPL-2.0-or-later
// number: 882
// kind: bug
// title: UFFDIO_RWPROTECT of a range of several areas looks only at the first
//   before it begins: when a later one is not registered the areas before it
//   are protected, or let go, already
// function: mrwprotect_range
// breaks: what is refused has changed nothing
// resembles: none known
// file: mm/userfaultfd.c

@@
@@
mrwprotect_range(...)
{
<...
-if (!userfaultfd_rwp(dst_vma))
+if (found && rmap_bug_is(882))
+	break;
+if (!userfaultfd_rwp(dst_vma))
	return -ENOENT;
...>
}

@@
identifier flags;
@@
mrwprotect_range(...)
{
<...
unsigned int flags = mm_cp_flags;
+
+if (rmap_bug_is(882) && !userfaultfd_rwp(dst_vma)) {
+	tlb_finish_mmu(&tlb);
+	return -ENOENT;
+}
...>
}
