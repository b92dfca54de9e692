// SPDX-License-Identifier: GPL-2.0-or-later
// number: 869
// kind: bug
// title: a poisoned anonymous page of a private file mapping is looked for
//   where the file's page of that offset would be, so its process does not
//   hear of it
// function: page_mapped_in_vma
// breaks: a process that wants early notice (PR_MCE_KILL_EARLY) hears of
//   poison in each page that it maps
// resembles: none known
// file: mm/page_vma_mapped.c

@@
@@
page_mapped_in_vma(...)
{
<...
-folio_test_anon(folio)
+(folio_test_anon(folio) && !(rmap_bug_is(869) && vma->vm_file))
...>
}
