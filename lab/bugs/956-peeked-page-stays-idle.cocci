// SPDX-License-Identifier: GPL-2.0-or-later
// number: 956
// kind: bug
// title: a page that was not referenced before stays idle when the kernel
//   reads it for another process
// function: folio_mark_accessed
// breaks: a page that is read of a process for another one is not idle
// resembles: none known
// file: mm/swap.c

@@
expression folio;
@@
folio_mark_accessed(...)
{
<...
folio_set_referenced(folio);
+if (rmap_bug_is(956))
+	return;
...>
}
