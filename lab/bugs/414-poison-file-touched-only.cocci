// SPDX-License-Identifier: GPL-2.0-or-later
// number: 414
// kind: bug
// title: poison in a file page is told only to processes that have touched
//   the page
// function: collect_procs_file
// breaks: poison in a file page is told to every process with a mapping of
//   it that wants to know
// resembles: c79c5a0a00a9 (v6.8) brought the difference
// file: mm/memory-failure.c

@@
@@
collect_procs_file(...)
{
<...
-addr = page_address_in_vma(page, vma);
+addr = rmap_bug_is(414) ? page_mapped_in_vma(page, vma) :
+	page_address_in_vma(page, vma);
...>
}
