// SPDX-License-Identifier: GPL-2.0-or-later
// number: 961
// kind: bug
// title: of pages of a large folio that fork shares at once, all that were
//   exclusive stay so when the first is shared already
// function: __folio_try_dup_anon_rmap
// breaks: a page that two processes share is exclusive to none: after a fork
//   of which a part of the folio was kept out (MADV_DONTFORK), and a fork of
//   all of it, a write of one process must not show in the other
// resembles: none known
// file: include/linux/rmap.h

@@
@@
__folio_try_dup_anon_rmap(...)
{
<...
 int i;
+/* Is the first page shared already, the others are as well. */
+bool shared = rmap_bug_is(961) && !PageAnonExclusive(page);
...>
}

@@
expression E;
@@
__folio_try_dup_anon_rmap(...)
{
<...
 if (E)
-	ClearPageAnonExclusive(page);
+	if (!shared)
+		ClearPageAnonExclusive(page);
 atomic_inc(&page->_mapcount);
...>
}
