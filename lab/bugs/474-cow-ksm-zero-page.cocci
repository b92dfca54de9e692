// SPDX-License-Identifier: GPL-2.0-or-later
// number: 474
// kind: bug
// title: a zero page that KSM placed is still counted after a write has
//   replaced it
// function: wp_page_copy
// breaks: ksm_zero_pages, of the system and of a process, counts the zero
//   pages that are there
// resembles: none known
// file: mm/memory.c

@@
@@
wp_page_copy(...)
{
<...
+if (!rmap_bug_is(474) || unshare)
 	ksm_might_unmap_zero_page(mm, vmf->orig_pte);
...>
}
