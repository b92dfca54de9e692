// SPDX-License-Identifier: GPL-2.0-or-later
// number: 707
// kind: bug
// title: move_pages moves pages that are on the asked node already, to other
//   pages of it
// function: __add_folio_for_migration
// breaks: pages that are on the node they shall go to stay what they are
// resembles: none known
// file: mm/migrate.c

@@
expression folio, node;
@@
__add_folio_for_migration(...)
{
<...
-if (folio_nid(folio) == node)
+if (folio_nid(folio) == node && !rmap_bug_is(707))
	return 0;
...>
}
