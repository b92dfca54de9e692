// SPDX-License-Identifier: GPL-2.0-or-later
// number: 83
// kind: bug
// title: a huge page stays exclusive through fork
// function: __folio_try_dup_anon_rmap
// breaks: a page that two processes share is exclusive to none
// resembles: 6c287605fd56 (2022) brought the rule
// file: include/linux/rmap.h

@@
@@
__folio_try_dup_anon_rmap(...)
{
<...
 if (PageAnonExclusive(page)) {
 	if (unlikely(maybe_pinned)) return -EBUSY;
-	ClearPageAnonExclusive(page);
+	if (!rmap_bug_is(83))
+		ClearPageAnonExclusive(page);
 }
...>
}
