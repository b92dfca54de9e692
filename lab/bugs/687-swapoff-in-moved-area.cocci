// SPDX-License-Identifier: GPL-2.0-or-later
// number: 687
// kind: bug
// title: a page that swapoff brings back into an area that was moved, or into
//   a private mapping of a file, gets its index from the address
// function: unuse_pte
// breaks: a page that swapoff brings back is found, wherever its area was
//   before
// resembles: none known
// file: mm/swapfile.c

@@
@@
unuse_pte(...)
{
<...
 folio_add_new_anon_rmap(folio, vma, addr, rmap_flags);
+if (rmap_bug_is(687))
+	folio->index = addr >> PAGE_SHIFT;
...>
}
