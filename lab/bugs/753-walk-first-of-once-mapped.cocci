// SPDX-License-Identifier: GPL-2.0-or-later
// number: 753
// kind: bug
// title: a small anonymous page that is mapped once is looked for in the
//   first VMA of the tree only
// function: rmap_walk_anon
// breaks: the mapper of an anonymous page is found, also when it is not the
//   first that was linked to the page's anon_vma: a child's, after its
//   parent has given the page up but not the area
// resembles: none known
// file: mm/rmap.c

@@
@@
rmap_walk_anon(...)
{
+/* A small page mapped once is found by the first vma that has it. */
+const bool bug_once = rmap_bug_is(753) && !locked && rwc->anon_lock &&
+	!folio_test_large(folio) && folio_mapcount(folio) == 1;
...
}

@@
@@
rmap_walk_anon(...)
{
<...
 if (rwc->done && rwc->done(folio))
 	break;
+if (bug_once)
+	break;
...>
}
