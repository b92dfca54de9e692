// SPDX-License-Identifier: GPL-2.0-or-later
// number: 951
// kind: bug
// title: MADV_WILLNEED of a mapping of shared memory brings in the part that
//   as many pages from its beginning is
// function: shmem_swapin_range
// breaks: what a process says that it will need comes from swap, and not
//   something else
// resembles: 66383800df9c
// file: mm/madvise.c

@@
iterator name xas_for_each;
identifier folio, xas, end_index, vma, start, end, mapping;
statement S;
@@
shmem_swapin_range(struct vm_area_struct *vma, unsigned long start, unsigned long end,
	struct address_space *mapping)
{
...
+if (rmap_bug_is(951)) {
+	xas_set(&xas, (start - vma->vm_start) >> PAGE_SHIFT);
+	end_index -= vma->vm_pgoff;
+}
xas_for_each(&xas, folio, end_index) S
...
}
