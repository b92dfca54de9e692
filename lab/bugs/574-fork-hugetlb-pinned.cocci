// SPDX-License-Identifier: GPL-2.0-or-later
// number: 574
// kind: bug
// title: fork shares a private hugetlb page although it is pinned
// function: hugetlb_try_dup_anon_rmap
// breaks: a pinned page stays the page of the process that pinned it
// resembles: none known
// file: include/linux/rmap.h

@@
@@
hugetlb_try_dup_anon_rmap(...)
{
<...
-if (unlikely(folio_needs_cow_for_dma(vma, folio)))
+if (unlikely(folio_needs_cow_for_dma(vma, folio)) && !rmap_bug_is(574))
 	return -EBUSY;
...>
}
