// SPDX-License-Identifier: GPL-2.0-or-later
// number: 928
// kind: bug
// title: userfaultfd's write protection of hugetlb memory is not put where no
//   page table is yet
// function: hugetlb_change_protection
// breaks: who has a page first in a write-protected area has it write-
//   protected
// resembles: none known
// file: mm/hugetlb.c

@@
@@
hugetlb_change_protection(...)
{
<...
 if (!ptep) {
-	if (!uffd_wp) {
+	if (!uffd_wp || rmap_bug_is(928)) {
 		...
 	}
 	...
 }
...>
}
