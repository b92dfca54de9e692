// SPDX-License-Identifier: GPL-2.0-or-later
// number: 1015
// kind: bug
// title: a fork looks at the first of a row of entries of a pinned large folio
//   only, and shares a pinned page behind one that is shared
// function: __folio_try_dup_anon_rmap
// breaks: a pinned page that is its process's own is copied for a child
// resembles: none known
// file: include/linux/rmap.h

@@
@@
__folio_try_dup_anon_rmap(...)
{
<...
-if (PageAnonExclusive(page + i))
-	return -EBUSY;
+if (PageAnonExclusive(page + i) && !(rmap_bug_is(1015) && i > 0))
+	return -EBUSY;
...>
}
