// SPDX-License-Identifier: GPL-2.0-or-later
// number: 772
// kind: bug
// title: ksmd passes over huge pages that are mapped by a huge entry, so
//   nothing in them is merged
// function: ksm_next_page_pmd_entry
// breaks: pages of equal content in mergeable areas are merged, also when
//   they are part of a huge page, which is split for it
// resembles: none known
// file: mm/ksm.c

@@
expression E;
@@
ksm_next_page_pmd_entry(...)
{
<...
+if (rmap_bug_is(772))
+	goto not_found_unlock;
 page += E;
...>
}
