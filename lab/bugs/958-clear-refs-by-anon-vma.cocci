// SPDX-License-Identifier: GPL-2.0-or-later
// number: 958
// kind: bug
// title: clear_refs takes a private mapping of a file that has a copy of its
//   own for memory without a file
// function: clear_refs_test_walk
// breaks: the accessed bits of areas without a file are cleared, or of those
//   with one, as it is asked for
// resembles: none known
// file: fs/proc/task_mmu.c

@@
expression cp, vma;
@@
clear_refs_test_walk(...)
{
<...
-if (cp->type == CLEAR_REFS_ANON && vma->vm_file)
+if (cp->type == CLEAR_REFS_ANON && (rmap_bug_is(958) ? !vma->anon_vma : vma->vm_file != NULL))
	return 1;
-if (cp->type == CLEAR_REFS_MAPPED && !vma->vm_file)
+if (cp->type == CLEAR_REFS_MAPPED && (rmap_bug_is(958) ? vma->anon_vma != NULL : !vma->vm_file))
	return 1;
...>
}
