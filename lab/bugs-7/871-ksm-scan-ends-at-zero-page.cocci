// SPDX-License-Identifier: GPL-2.0-or-later
// number: 871
// kind: bug
// title: ksmd goes on with the next page table when it comes upon a zero page,
//   so pages behind it in the same table are never merged
// function: ksm_next_page_pmd_entry
// breaks: ksmd merges equal pages of mergeable areas, whatever is mapped
//   before them
// resembles: none known
// file: mm/ksm.c

@@
@@
ksm_next_page_pmd_entry(...)
{
<...
 page = vm_normal_page(...);
+if (rmap_bug_is(871) && !page)
+	goto not_found_unlock;
...>
}
