// SPDX-License-Identifier: GPL-2.0-or-later
// number: 903
// kind: variation
// title: the walk of an anonymous page takes its VMAs in another order
// function: rmap_walk_anon
// breaks: nothing: the order is nobody's promise
// resembles: none
// file: mm/rmap.c

@@
@@
rmap_walk_anon(...)
{
+int bug_pass = 0;
...
 pgoff_end = pgoff_start + folio_nr_pages(folio) - 1;
+again:
...
}
@@
statement S;
@@
rmap_walk_anon(...)
{
<...
+if (rmap_bug_is(903) && (((unsigned long)vma->vm_mm >> 10) & 1) == bug_pass)
+	continue;
 if (rwc->invalid_vma && rwc->invalid_vma(vma, rwc->arg)) S
...>
}
@@
@@
rmap_walk_anon(...)
{
...
+if (rmap_bug_is(903) && !avc && !bug_pass++)
+	goto again;
 if (!locked)
 	anon_vma_unlock_read(anon_vma);
}
