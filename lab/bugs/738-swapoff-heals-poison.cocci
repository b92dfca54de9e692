// SPDX-License-Identifier: GPL-2.0-or-later
// number: 738
// kind: bug
// title: a page that was poisoned while it still had its slot in swap (swap
//   cache, written since) is mapped again, as if it were good, by swapoff
// function: unuse_pte
// breaks: swapoff leaves poison where a page was poisoned: who touches it
//   gets SIGBUS
// resembles: none known
// file: mm/swapfile.c

@@
@@
unuse_pte(...)
{
<...
-hwpoisoned || !folio_test_uptodate(folio)
+(hwpoisoned || !folio_test_uptodate(folio)) &&
+	!(rmap_bug_is(738) && hwpoisoned)
...>
}
