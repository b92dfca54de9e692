// SPDX-License-Identifier: GPL-2.0-or-later
// number: 259
// kind: bug
// title: mprotect makes a huge page writable that a fork shares
// function: can_change_pmd_writable
// breaks: what one process writes to a private page no other process sees
// resembles: none known
// file: mm/huge_memory.c

@@
@@
can_change_pmd_writable(...)
{
<...
-return page && PageAnon(page) && PageAnonExclusive(page);
+return page && PageAnon(page) &&
+	(PageAnonExclusive(page) || rmap_bug_is(259));
...>
}
