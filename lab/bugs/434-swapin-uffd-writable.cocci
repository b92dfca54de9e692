// SPDX-License-Identifier: GPL-2.0-or-later
// number: 434
// kind: bug
// title: a page that userfaultfd write-protects comes back writable from swap
// function: do_swap_page
// breaks: a write to a page that userfaultfd write-protects raises an event,
//   also after the page was in swap
// resembles: none known
// file: mm/memory.c

@@
statement S;
@@
do_swap_page(...)
{
<...
 if ((vma->vm_flags & VM_WRITE) &&
-    !userfaultfd_pte_wp(vma, pte) &&
+    (!userfaultfd_pte_wp(vma, pte) || rmap_bug_is(434)) &&
     !pte_needs_soft_dirty_wp(vma, pte)) S
...>
}
