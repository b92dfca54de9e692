// SPDX-License-Identifier: GPL-2.0-or-later
// number: 318
// kind: bug
// title: the walk for migration passes over stacks
// function: invalid_migration_vma
// breaks: a walk finds every mapper of a page
// resembles: none known
// file: mm/rmap.c

@@
@@
invalid_migration_vma(...)
{
<...
-return vma_is_temporary_stack(vma);
+return vma_is_temporary_stack(vma) ||
+	(rmap_bug_is(318) && (vma->vm_flags & VM_GROWSDOWN));
...>
}
