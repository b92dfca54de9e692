// SPDX-License-Identifier: GPL-2.0-or-later
// number: 359
// kind: bug
// title: pages that userfaultfd write-protects are collapsed into a huge page
//   that is writable
// function: hpage_collapse_scan_pmd, __collapse_huge_page_isolate
// breaks: a page stays write-protected by userfaultfd: MADV_COLLAPSE must
//   leave the range alone
// resembles: none known
// file: mm/khugepaged.c

@@
@@
hpage_collapse_scan_pmd(...)
{
<...
-if (pte_uffd_wp(pteval)) {
+if (pte_uffd_wp(pteval) && !rmap_bug_is(359)) {
 	...
 }
...>
}

@@
@@
__collapse_huge_page_isolate(...)
{
<...
-if (pte_uffd_wp(pteval)) {
+if (pte_uffd_wp(pteval) && !rmap_bug_is(359)) {
 	...
 }
...>
}
