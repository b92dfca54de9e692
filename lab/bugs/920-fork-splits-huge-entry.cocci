// SPDX-License-Identifier: GPL-2.0-or-later
// number: 920
// kind: variation
// title: a fork splits the huge entries and passes small ones on
// function: copy_huge_pmd
// breaks: nothing: as it does for a huge page that is pinned
// resembles: none
// file: mm/huge_memory.c

@@
expression E;
@@
copy_huge_pmd(...)
{
<...
-folio_try_dup_anon_rmap_pmd(src_folio, src_page, E)
+rmap_bug_is(920) || folio_try_dup_anon_rmap_pmd(src_folio, src_page, E)
...>
}
