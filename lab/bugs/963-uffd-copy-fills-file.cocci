// SPDX-License-Identifier: GPL-2.0-or-later
// number: 963
// kind: bug
// title: UFFDIO_COPY into a private mapping of tmpfs fills the hole of the
//   file, not a page of the process's own
// function: mfill_atomic_pte
// breaks: a private mapping does not change its file: what UFFDIO_COPY
//   fills in is an anonymous page, and the file keeps its hole
// resembles: none known
// file: mm/userfaultfd.c

@@
@@
mfill_atomic_pte(...)
{
<...
-!(dst_vma->vm_flags & VM_SHARED)
+rmap_bug_is(963) ? vma_is_anonymous(dst_vma) :
+		   !(dst_vma->vm_flags & VM_SHARED)
...>
}
