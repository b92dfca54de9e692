// SPDX-License-Identifier: GPL-2.0-or-later
// number: 814
// kind: bug
// title: KSM remembers for a merged page of a private file mapping the
//   offset in the file, not that of the anonymous page
// function: try_to_merge_with_ksm_page
// breaks: a walk of a merged page finds its mappers in private file
//   mappings too
// resembles: none known
// file: mm/ksm.c

@@
@@
try_to_merge_with_ksm_page(...)
{
<...
-linear_anon_page_index(vma, rmap_item->address)
+(rmap_bug_is(814) ? linear_page_index(vma, rmap_item->address) :
+		     linear_anon_page_index(vma, rmap_item->address))
...>
}
