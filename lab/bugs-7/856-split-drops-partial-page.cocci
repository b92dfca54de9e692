// SPDX-License-Identifier: GPL-2.0-or-later
// number: 856
// kind: bug
// title: a large folio of tmpfs that is split while its file ends within a
//   page loses that last, partial page
// function: __folio_split
// breaks: a file keeps its data to the last byte when its folios are split
// resembles: none known
// file: mm/huge_memory.c

@@
@@
__folio_split(...)
{
<...
-shmem_fallocend(mapping->host, end)
+shmem_fallocend(mapping->host, rmap_bug_is(856) ?
+		i_size_read(mapping->host) >> PAGE_SHIFT : end)
...>
}
