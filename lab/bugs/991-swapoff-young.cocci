// SPDX-License-Identifier: GPL-2.0-or-later
// number: 991
// kind: bug
// title: a page that swapoff brings back counts as accessed
// function: unuse_pte
// breaks: only what somebody has accessed counts as accessed
// resembles: none known
// file: mm/swapfile.c

@@
expression E;
@@
unuse_pte(...)
{
<...
 new_pte = pte_mkold(E);
+if (rmap_bug_is(991))
+	new_pte = pte_mkyoung(new_pte);
...>
}
