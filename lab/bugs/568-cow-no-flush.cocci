// SPDX-License-Identifier: GPL-2.0-or-later
// number: 568
// kind: bug
// title: a thread's write that ends the sharing of a page after a fork is
//   not seen by its other threads: they keep the translation to the old page
// function: wp_page_copy
// breaks: all threads of a process see the page that a copy on write has
//   put in place
// resembles: none known
// file: mm/memory.c

@@
@@
wp_page_copy(...)
{
<...
-ptep_clear_flush(vma, vmf->address, vmf->pte);
+if (rmap_bug_is(568) && old_folio && folio_test_anon(old_folio))
+	ptep_get_and_clear(mm, vmf->address, vmf->pte);
+else
+	ptep_clear_flush(vma, vmf->address, vmf->pte);
...>
}
