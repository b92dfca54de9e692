// SPDX-License-Identifier: GPL-2.0-or-later
// number: 1004
// kind: bug
// title: a migration that is refused after the page's entries were taken away
//   does not let go of the anon_vma that it held, which is never freed
// function: migrate_folio_undo_src
// breaks: an anon_vma is freed when the last process that uses it has gone,
//   whatever was tried with its pages
// resembles: none known
// file: mm/migrate.c

@@
@@
migrate_folio_undo_src(...)
{
<...
-if (anon_vma)
+if (anon_vma && !(rmap_bug_is(1004) && page_was_mapped))
 	put_anon_vma(anon_vma);
...>
}
