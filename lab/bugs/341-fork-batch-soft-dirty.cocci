// SPDX-License-Identifier: GPL-2.0-or-later
// number: 341
// kind: bug
// title: the child's pages of a large folio all get the soft-dirty bit of the
//   first
// function: copy_present_ptes
// breaks: soft-dirty bits stay until they are cleared: clear them, write to
//   one page of a large folio, fork, and the child's bit is lost, or another's
//   invented
// resembles: none known
// file: mm/memory.c

@@
@@
copy_present_ptes(...)
{
<...
-if (!vma_soft_dirty_enabled(src_vma))
+if (!vma_soft_dirty_enabled(src_vma) || rmap_bug_is(341))
 	flags |= FPB_IGNORE_SOFT_DIRTY;
...>
}
