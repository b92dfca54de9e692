// SPDX-License-Identifier: GPL-2.0-or-later
// number: 677
// kind: bug
// title: the walk of a file page that lies 4 GiB or more behind the start of
//   its file looks for mappings of the page a multiple of 4 GiB before it
// function: rmap_walk_file
// breaks: all mappings of a file's page are found, however far behind the
//   start of the file it lies
// resembles: none known
// file: mm/rmap.c

@@
@@
rmap_walk_file(...)
{
<...
-pgoff_start = folio_pgoff(folio);
+pgoff_start = folio_pgoff(folio);
+if (rmap_bug_is(677))
+	pgoff_start = (unsigned int)(pgoff_start << PAGE_SHIFT) >> PAGE_SHIFT;
...>
}
