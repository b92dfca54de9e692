// SPDX-License-Identifier: GPL-2.0-or-later
// number: 941
// kind: bug
// title: what was written to a huge page of a file is forgotten when a mapping
//   goes that may only be read by then
// function: zap_huge_pmd
// breaks: data written through a shared mapping stays when the mapping goes
// resembles: none known
// file: mm/huge_memory.c

@@
@@
zap_huge_pmd(...)
{
<...
-folio_mark_dirty(folio);
+if (!rmap_bug_is(941) || (vma->vm_flags & VM_WRITE))
+	folio_mark_dirty(folio);
...>
}
