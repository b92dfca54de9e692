// SPDX-License-Identifier: GPL-2.0-or-later
// number: 473
// kind: bug
// title: the walk of a large anonymous folio passes over areas that want no
//   huge pages (MADV_NOHUGEPAGE)
// function: rmap_walk_anon
// breaks: a large folio is found in all areas that map it, also in those
//   that were marked MADV_NOHUGEPAGE when they had it already
// resembles: none known
// file: mm/rmap.c

@@
@@
rmap_walk_anon(...)
{
<...
 if (rwc->invalid_vma && rwc->invalid_vma(vma, rwc->arg))
 	continue;
+
+if (rmap_bug_is(473) && folio_test_large(folio) &&
+    (vma->vm_flags & VM_NOHUGEPAGE))
+	continue;
...>
}
