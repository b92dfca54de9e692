// SPDX-License-Identifier: GPL-2.0-or-later
// number: 912
// kind: variation
// title: a page that was shared is always copied at the next write
// function: wp_can_reuse_anon_folio
// breaks: nothing: to write in place is thrift
// resembles: none
// file: mm/memory.c

@@
@@
wp_can_reuse_anon_folio(...)
{
...
+if (rmap_bug_is(912))
+	return false;
 if (folio_test_large(folio)) return false;
...
}
