// SPDX-License-Identifier: GPL-2.0-or-later
// number: 130
// kind: bug
// title: a private hugetlb page stays exclusive through fork
// function: hugetlb_try_dup_anon_rmap
// breaks: a page that two processes share is exclusive to none
// resembles: 6c287605fd56 (2022) brought the rule
// file: include/linux/rmap.h

@@
@@
hugetlb_try_dup_anon_rmap(...)
{
<...
-ClearPageAnonExclusive(&folio->page);
+if (!rmap_bug_is(130))
+	ClearPageAnonExclusive(&folio->page);
...>
}
