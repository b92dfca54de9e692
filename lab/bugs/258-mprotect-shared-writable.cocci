// SPDX-License-Identifier: GPL-2.0-or-later
// number: 258
// kind: bug
// title: mprotect makes a page writable that a fork shares
// function: can_change_pte_writable
// breaks: what one process writes to a private page no other process sees
// resembles: none known
// file: mm/mprotect.c

@@
@@
can_change_pte_writable(...)
{
<...
-return page && PageAnon(page) && PageAnonExclusive(page);
+return page && PageAnon(page) &&
+	(PageAnonExclusive(page) || rmap_bug_is(258));
...>
}
