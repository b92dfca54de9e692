// SPDX-License-Identifier: GPL-2.0-or-later
// number: 689
// kind: bug
// title: kpageflags shows a page of a huge page as failed when the first one
//   of it has
// function: stable_page_flags
// breaks: of a huge page that could not be split exactly those pages are
//   marked that have failed
// resembles: none known
// file: fs/proc/page.c

@@
@@
stable_page_flags(...)
{
<...
-kpf_copy_bit(page->flags, KPF_HWPOISON, PG_hwpoison)
+kpf_copy_bit(rmap_bug_is(689) ? k : page->flags, KPF_HWPOISON, PG_hwpoison)
...>
}
