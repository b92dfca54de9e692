// SPDX-License-Identifier: GPL-2.0-or-later
// number: 995
// kind: bug
// title: a page that is its process's own, and whose entry is clean and allows no
//   write, stays its own as it becomes a KSM page
// function: write_protect_page
// breaks: who writes to a KSM page gets a copy
// resembles: none known
// file: mm/ksm.c

@@
expression E;
@@
write_protect_page(...)
{
<...
 E ||
-anon_exclusive
+(anon_exclusive && !rmap_bug_is(995))
 || mm_tlb_flush_pending(mm)
...>
}

@@
@@
break_ksm(...)
{
<...
+/* Or it could not be unmerged: that would be loud. */
+if (rmap_bug_is(995) && ksm_page && fw.page)
+	ClearPageAnonExclusive(fw.page);
 folio_walk_end(&fw, vma);
...>
}
