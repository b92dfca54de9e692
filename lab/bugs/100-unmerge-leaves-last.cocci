// SPDX-License-Identifier: GPL-2.0-or-later
// number: 100
// kind: bug
// title: unmerging leaves the last page of an area merged
// function: unmerge_ksm_pages
// breaks: an area that is not mergeable has no KSM pages
// resembles: none known
// file: mm/ksm.c

@@
statement S;
@@
unmerge_ksm_pages(...)
{
<...
+if (rmap_bug_is(100) && end - start > PAGE_SIZE)
+	end -= PAGE_SIZE;
 for (addr = start; ...; ...) S
...>
}
