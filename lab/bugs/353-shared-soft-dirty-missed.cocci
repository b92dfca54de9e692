// SPDX-License-Identifier: GPL-2.0-or-later
// number: 353
// kind: bug
// title: pages of a shared mapping that are mapped after the soft-dirty bits
//   were cleared are writable at once
// function: vma_wants_writenotify
// breaks: a write after soft-dirty bits were cleared sets them: clear_refs,
//   read a tmpfs page that was not mapped, write to it
// resembles: none known
// file: mm/vma.c

@@
@@
vma_wants_writenotify(...)
{
<...
-if (vma_soft_dirty_enabled(vma) && !is_vm_hugetlb_page(vma))
+if (vma_soft_dirty_enabled(vma) && !is_vm_hugetlb_page(vma) &&
+    !rmap_bug_is(353))
 	return true;
...>
}
