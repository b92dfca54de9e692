// SPDX-License-Identifier: GPL-2.0-or-later
// number: 661
// kind: bug
// title: the walk looks for a small anonymous page that lies 4 GiB or more
//   behind the start of its area too low by a multiple of 4 GiB
// function: rmap_walk_anon
// breaks: a page is found however far behind the start of its area it lies
// resembles: none known
// file: mm/rmap.c

@@
@@
rmap_walk_anon(...)
{
<...
+if (rmap_bug_is(661) && rwc->anon_lock && !folio_test_large(folio))
+	address = vma->vm_start + (unsigned int)(address - vma->vm_start);
 cond_resched();
...>
}
