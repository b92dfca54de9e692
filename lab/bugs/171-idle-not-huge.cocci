// SPDX-License-Identifier: GPL-2.0-or-later
// number: 171
// kind: bug
// title: the idle walk does not see a touch through a huge PMD
// function: page_idle_clear_pte_refs_one
// breaks: a touch through any mapper ends a page's idleness
// resembles: none known
// file: mm/page_idle.c

@@
@@
page_idle_clear_pte_refs_one(...)
{
<...
-pmdp_clear_young_notify(vma, addr, pvmw.pmd)
+pmdp_clear_young_notify(vma, addr, pvmw.pmd) && !rmap_bug_is(171)
...>
}
