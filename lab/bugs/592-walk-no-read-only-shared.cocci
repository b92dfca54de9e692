// SPDX-License-Identifier: GPL-2.0-or-later
// number: 592
// kind: bug
// title: the walk of a file page passes over shared mappings of files that
//   were opened for reading only
// function: rmap_walk_file
// breaks: the walk of a file page finds every mapping of it, also those that
//   can never be written
// resembles: none known
// file: mm/rmap.c

@@
@@
rmap_walk_file(...)
{
<...
+if (rmap_bug_is(592) && (vma->vm_flags & (VM_MAYSHARE | VM_MAYWRITE)) == VM_MAYSHARE)
+	continue;
 if (!rwc->rmap_one(folio, vma, address, rwc->arg))
	goto done;
...>
}
