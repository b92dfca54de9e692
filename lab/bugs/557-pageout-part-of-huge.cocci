// SPDX-License-Identifier: GPL-2.0-or-later
// number: 557
// kind: bug
// title: MADV_PAGEOUT of a part of a huge page that a huge entry maps takes
//   the whole huge page
// function: madvise_cold_or_pageout_pte_range
// breaks: MADV_PAGEOUT leaves what is outside of its range where it is
// resembles: none known
// file: mm/madvise.c

@@
@@
madvise_cold_or_pageout_pte_range(...)
{
<...
-next - addr != HPAGE_PMD_SIZE
+next - addr != HPAGE_PMD_SIZE && !(rmap_bug_is(557) && pageout)
...>
}
