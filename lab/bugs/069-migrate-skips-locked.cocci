// SPDX-License-Identifier: GPL-2.0-or-later
// number: 69
// kind: bug
// title: an mlocked mapper keeps the page where it is
// function: try_to_migrate_one
// breaks: mlock does not forbid migration
// resembles: none known
// file: mm/rmap.c

@@
@@
try_to_migrate_one(...)
{
<...
 while (page_vma_mapped_walk(&pvmw)) {
+	if (rmap_bug_is(69) && (vma->vm_flags & VM_LOCKED)) {
+		ret = false;
+		page_vma_mapped_walk_done(&pvmw);
+		break;
+	}
 ...
 }
...>
}
