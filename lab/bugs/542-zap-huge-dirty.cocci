// SPDX-License-Identifier: GPL-2.0-or-later
// number: 542
// kind: bug
// title: what was written through a huge entry does not make a huge page of
//   a file dirty when it is unmapped, so reclaim throws it away
// function: zap_huge_pmd
// breaks: data written through a shared mapping stays when the mapping goes
// resembles: none known
// file: mm/huge_memory.c

@@
@@
zap_huge_pmd(...)
{
<...
-if (pmd_present(orig_pmd) && pmd_dirty(orig_pmd))
+if (pmd_present(orig_pmd) && pmd_dirty(orig_pmd) && !rmap_bug_is(542))
 	folio_mark_dirty(folio);
...>
}
