// SPDX-License-Identifier: GPL-2.0-or-later
// number: 101
// kind: bug
// title: a page that another area swapped in is mapped without a copy
// function: ksm_might_need_to_copy
// breaks: an anonymous page is mapped in one family of areas only
// resembles: 288468c334e9 (2010), 4969c1192d15: a KSM page mapped with a
//   foreign anon_vma
// file: mm/ksm.c

@@
statement S;
@@
ksm_might_need_to_copy(...)
{
<...
+if (rmap_bug_is(101) && !folio_test_ksm(folio))
+	return folio;
 if (PageHWPoison(page)) S
...>
}
