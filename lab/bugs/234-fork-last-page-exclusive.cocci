// SPDX-License-Identifier: GPL-2.0-or-later
// number: 234
// kind: bug
// title: the last page of a VMA stays exclusive through fork
// function: copy_present_ptes
// breaks: a page that two processes share is exclusive to none
// resembles: 6c287605fd56 (2022) brought the rule
// file: mm/memory.c

@@
@@
copy_present_ptes(...)
{
<...
 rss[MM_ANONPAGES]++;
+if (rmap_bug_is(234) && addr + PAGE_SIZE == src_vma->vm_end)
+	SetPageAnonExclusive(page);
...>
}
