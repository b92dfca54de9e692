// SPDX-License-Identifier: GPL-2.0-or-later
// number: 556
// kind: bug
// title: mprotect that takes the right to write away from a page loses its
//   soft-dirty bit
// function: change_pte_range
// breaks: a page that was written since the soft-dirty bits were cleared is
//   soft-dirty, also once its area is read-only
// resembles: none known
// file: mm/mprotect.c

@@
@@
change_pte_range(...)
{
<...
 ptent = pte_modify(oldpte, newprot);
+if (rmap_bug_is(556) && pte_write(oldpte) &&
+    !(vma->vm_flags & VM_WRITE))
+	ptent = pte_clear_soft_dirty(ptent);
...>
}
