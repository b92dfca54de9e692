// SPDX-License-Identifier: GPL-2.0-or-later
// number: 670
// kind: bug
// title: the walk for migration passes over areas that grow down and are
//   advised MADV_RANDOM or MADV_SEQUENTIAL
// function: invalid_migration_vma
// breaks: the pages of a stack can be moved once its exec is over, whatever
//   was advised
// resembles: none known
// file: mm/rmap.c

@@
expression E;
@@
invalid_migration_vma(...)
{
 return
-	E
+	E || (rmap_bug_is(670) && (vma->vm_flags & VM_GROWSDOWN) && (vma->vm_flags & VM_STACK_INCOMPLETE_SETUP))
 	;
}
