// SPDX-License-Identifier: GPL-2.0-or-later
// number: 927
// kind: bug
// title: a page of a large folio that is pinned to be read counts as its
//   process's own when the first page of the folio is
// function: gup_must_unshare
// breaks: what is pinned to be read is what its process has, whoever writes
// resembles: none known
// file: mm/internal.h

@@
@@
gup_must_unshare(...)
{
<...
-return !PageAnonExclusive(page);
+return !PageAnonExclusive(page) &&
+       !(rmap_bug_is(927) && PageAnonExclusive(compound_head(page)));
...>
}
