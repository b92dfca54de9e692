// SPDX-License-Identifier: GPL-2.0-or-later
// number: 776
// kind: bug
// title: a small anonymous page (not in the swap cache, not a merged one)
//   is migrated although others hold references to it
// function: __migrate_folio
// breaks: a page that others refer to stays where it is: what was put into
//   a pipe with vmsplice() is still the page that the process maps
// resembles: none known
// file: mm/migrate.c

@@
@@
__migrate_folio(...)
{
<...
-folio_ref_count(src) != expected_count
+folio_ref_count(src) != expected_count &&
+	!(rmap_bug_is(776) && !mapping && folio_test_anon(src) &&
+	  !folio_test_ksm(src) && !folio_test_large(src))
...>
}
