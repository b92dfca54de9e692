// SPDX-License-Identifier: GPL-2.0-or-later
// number: 433
// kind: bug
// title: the copy of a page that a process writes in a locked area is not
//   mlocked
// function: wp_page_copy
// breaks: every page of a locked area is mlocked and unevictable
// resembles: none known
// file: mm/memory.c

@@
@@
wp_page_copy(...)
{
<...
-folio_add_lru_vma(new_folio, vma);
+if (rmap_bug_is(433))
+	folio_add_lru(new_folio);
+else
+	folio_add_lru_vma(new_folio, vma);
...>
}
