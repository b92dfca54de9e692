// SPDX-License-Identifier: GPL-2.0-or-later
// number: 659
// kind: bug
// title: an access through a huge entry whose accessed bit DAMON takes off
//   is forgotten
// function: damon_pmdp_mkold
// breaks: an access that one looker took off an entry is still there for
//   the others
// resembles: none known
// file: mm/damon/ops-common.c

@@
identifier F;
@@
damon_pmdp_mkold(...)
{
<...
-folio_set_young(F);
+if (!rmap_bug_is(659))
+	folio_set_young(F);
...>
}
