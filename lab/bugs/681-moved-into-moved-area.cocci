// SPDX-License-Identifier: GPL-2.0-or-later
// number: 681
// kind: bug
// title: a page that UFFDIO_MOVE moves into an area which mremap moved before
//   gets its index from the address
// function: move_present_pte
// breaks: a page moved by UFFDIO_MOVE is found at its new place, also in an
//   area that was moved itself
// resembles: none known
// file: mm/userfaultfd.c

@@
@@
move_present_pte(...)
{
<...
+if (rmap_bug_is(681))
+	src_folio->index = dst_addr >> PAGE_SHIFT;
 orig_dst_pte = mk_pte(&src_folio->page, dst_vma->vm_page_prot);
...>
}
