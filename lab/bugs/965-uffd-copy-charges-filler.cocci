// SPDX-License-Identifier: GPL-2.0-or-later
// number: 965
// kind: bug
// title: an anonymous page that UFFDIO_COPY fills in is charged to the
//   memory cgroup of who fills it in, not of the process that it is for
// function: mfill_atomic_pte_copy
// breaks: a page is charged to the group of the process that maps it, also
//   when a process of another group resolves the fault
// resembles: none known
// file: mm/userfaultfd.c

@@
@@
mfill_atomic_pte_copy(...)
{
<...
 mem_cgroup_charge(folio,
-dst_vma->vm_mm
+rmap_bug_is(965) ? current->mm : dst_vma->vm_mm
 , GFP_KERNEL)
...>
}
