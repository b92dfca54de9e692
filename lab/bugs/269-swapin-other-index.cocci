// SPDX-License-Identifier: GPL-2.0-or-later
// number: 269
// kind: bug
// title: a merged page that came back from swap is mapped at another index
//   without a copy
// function: ksm_might_need_to_copy
// breaks: every page can be found from its anon_vma and index
// resembles: none known
// file: mm/ksm.c

@@
@@
ksm_might_need_to_copy(...)
{
<...
-folio->index == linear_page_index(vma, addr) &&
+(folio->index == linear_page_index(vma, addr) || rmap_bug_is(269)) &&
 anon_vma->root == vma->anon_vma->root
...>
}
