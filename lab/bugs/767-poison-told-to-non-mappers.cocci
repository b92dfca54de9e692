// SPDX-License-Identifier: GPL-2.0-or-later
// number: 767
// kind: bug
// title: poison in an anonymous page is told to every process that has an
//   area where the page could be, also to those that do not map it any more
// function: collect_procs_anon
// breaks: poison is told to those who map the page, and to nobody else
// resembles: none known
// file: mm/memory-failure.c

@@
@@
collect_procs_anon(...)
{
<...
-page_mapped_in_vma(page, vma)
+(rmap_bug_is(767) ? page_address_in_vma(page, vma) :
+	page_mapped_in_vma(page, vma))
...>
}
