// SPDX-License-Identifier: GPL-2.0-or-later
// number: 708
// kind: bug
// title: UFFDIO_WRITEPROTECT leaves the processors their translations of
//   pages in private mappings, so that who wrote such a page before can go on
//   writing
// function: change_pte_range
// breaks: userfaultfd hears of a write to a page that it write-protects,
//   whatever was done with the page before
// resembles: none known
// file: mm/mprotect.c

@@
@@
change_pte_range(...)
{
<...
-pte_needs_flush(oldpte, ptent)
+(pte_needs_flush(oldpte, ptent) &&
+	!(rmap_bug_is(708) && uffd_wp && !(vma->vm_flags & VM_SHARED)))
...>
}
