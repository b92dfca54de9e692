// SPDX-License-Identifier: GPL-2.0-or-later
// number: 576
// kind: bug
// title: a pin for reading of a huge page that a fork shares, where its
//   huge entry is present, does not give the process its own page
// function: gup_fast_pmd_leaf
// breaks: what is pinned stays what the process sees
// resembles: none known
// file: mm/gup.c

@@
@@
gup_fast_pmd_leaf(...)
{
<...
-if (!pmd_write(orig) && gup_must_unshare(NULL, flags, &folio->page))
+if (!pmd_write(orig) && gup_must_unshare(NULL, flags, &folio->page) &&
+    !rmap_bug_is(576))
 {
 	gup_put_folio(folio, refs, flags);
 	return 0;
 }
...>
}
