// SPDX-License-Identifier: GPL-2.0-or-later
// number: 170
// kind: bug
// title: the idle walk looks at one mapper only
// function: page_idle_clear_pte_refs_one
// breaks: a touch through any mapper ends a page's idleness
// resembles: none known
// file: mm/page_idle.c

@@
@@
page_idle_clear_pte_refs_one(...)
{
<...
-return true;
+return !rmap_bug_is(170);
...>
}
