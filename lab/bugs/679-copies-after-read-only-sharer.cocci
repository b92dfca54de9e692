// SPDX-License-Identifier: GPL-2.0-or-later
// number: 679
// kind: bug
// title: truncation leaves the private copies in place in all mappings that
//   come after a shared mapping which is read-only at the moment
// function: unmap_mapping_range_tree
// breaks: no page behind the end of a truncated file stays mapped, nor a
//   private copy of one, whoever else maps the file
// resembles: none known
// file: mm/memory.c

@@
@@
unmap_mapping_range_tree(...)
{
<...
 vea = vba + vma_pages(vma) - 1;
+if (rmap_bug_is(679) && (vma->vm_flags & (VM_SHARED | VM_WRITE)) == VM_SHARED && !is_vm_hugetlb_page(vma))
+	details->even_cows = false;
...>
}
