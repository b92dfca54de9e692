// SPDX-License-Identifier: GPL-2.0-or-later
// number: 741
// kind: bug
// title: a fault maps, with the neighbours, the pages of a large tmpfs
//   folio that lie behind the end of the file
// function: filemap_map_pages
// breaks: no page behind the end of a file is mapped: a touch there gets
//   SIGBUS
// resembles: none known
// file: mm/filemap.c

@@
@@
filemap_map_pages(...)
{
<...
-end_pgoff = min(end_pgoff, file_end);
+if (!rmap_bug_is(741))
+	end_pgoff = min(end_pgoff, file_end);
...>
}
