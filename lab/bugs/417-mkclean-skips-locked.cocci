// SPDX-License-Identifier: GPL-2.0-or-later
// number: 417
// kind: bug
// title: writeback leaves the entries of locked mappings dirty and writable
// function: invalid_mkclean_vma
// breaks: a write to a page after its writeback makes it dirty again, from
//   whichever mapping
// resembles: none known
// file: mm/rmap.c

@@
@@
invalid_mkclean_vma(...)
{
+if (rmap_bug_is(417) && (vma->vm_flags & VM_LOCKED))
+	return true;
...
}
