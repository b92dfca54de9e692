// SPDX-License-Identifier: GPL-2.0-or-later
// number: 983
// kind: bug
// title: mbind does not count a huge page that it cannot or must not move as
//   misplaced, if a huge entry maps it
// function: queue_folios_pmd
// breaks: mbind(MPOL_MF_STRICT) fails when a page stays on a node that is not
//   in the policy
// resembles: none known
// file: mm/mempolicy.c

@@
expression E;
@@
queue_folios_pmd(...)
{
<...
 if (E || !migrate_folio_add(folio, qp->pagelist, qp->flags))
-	qp->nr_failed++;
+{
+	if (!rmap_bug_is(983))
+		qp->nr_failed++;
+}
...>
}
