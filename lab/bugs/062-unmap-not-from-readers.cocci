// SPDX-License-Identifier: GPL-2.0-or-later
// number: 62
// kind: bug
// title: reclaim leaves a private page to who may only read it
// function: try_to_unmap_one
// breaks: reclaim takes a page from every mapper or from none
// resembles: none known
// file: mm/rmap.c

@@
@@
try_to_unmap_one(...)
{
<...
+if (rmap_bug_is(62) && folio_test_anon(folio) && !folio_test_hugetlb(folio) &&
+    !(vma->vm_flags & VM_WRITE))
+	return true;
 range.end = vma_address_end(&pvmw);
...>
}
