// SPDX-License-Identifier: GPL-2.0-or-later
// number: 427
// kind: bug
// title: the anon_vma that a migration holds is not let go
// function: migrate_folio_move
// breaks: an anon_vma is freed with the last area and the last page of it
// resembles: none known
// file: mm/migrate.c

@@
@@
migrate_folio_move(...)
{
<...
-if (anon_vma)
+if (anon_vma && !rmap_bug_is(427))
 	put_anon_vma(anon_vma);
 folio_unlock(src);
 migrate_folio_done(src, reason);
...>
}
