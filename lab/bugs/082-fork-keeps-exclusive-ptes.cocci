// SPDX-License-Identifier: GPL-2.0-or-later
// number: 82
// kind: bug
// title: the pages of a huge page mapped by PTEs stay exclusive through fork
// function: __folio_try_dup_anon_rmap
// breaks: a page that two processes share is exclusive to none
// resembles: 6c287605fd56 (2022) brought the rule
// file: include/linux/rmap.h

@@
@@
__folio_try_dup_anon_rmap(...)
{
<...
-if (PageAnonExclusive(page))
+if (PageAnonExclusive(page) && !rmap_bug_is(82))
 	ClearPageAnonExclusive(page);
 atomic_inc(&page->_mapcount);
...>
}
