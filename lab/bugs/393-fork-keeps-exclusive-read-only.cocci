// SPDX-License-Identifier: GPL-2.0-or-later
// number: 393
// kind: bug
// title: the small pages of an anonymous area that is read-only at the
//   moment stay exclusive through fork
// function: __folio_try_dup_anon_rmap
// breaks: a page that two processes share is exclusive to none: both make
//   the area writable, and a write of one must not show in the other
// resembles: 6c287605fd56 (2022) brought the rule
// file: include/linux/rmap.h

@@
@@
__folio_try_dup_anon_rmap(...)
{
<...
 if (PageAnonExclusive(page))
-	ClearPageAnonExclusive(page);
+	if (!rmap_bug_is(393) || !vma_is_anonymous(src_vma) ||
+	    (src_vma->vm_flags & VM_WRITE))
+		ClearPageAnonExclusive(page);
 atomic_inc(&folio->_mapcount);
...>
}
