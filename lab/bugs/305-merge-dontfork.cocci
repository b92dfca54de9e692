// SPDX-License-Identifier: GPL-2.0-or-later
// number: 305
// kind: bug
// title: a VMA that children do not get merges with one that they get
// function: is_mergeable_vma
// breaks: only equal VMAs merge
// resembles: none known
// file: mm/vma.c

@@
@@
is_mergeable_vma(...)
{
<...
+if (rmap_bug_is(305) && (vma->vm_flags ^ vmg->flags) == VM_DONTCOPY &&
+    vma_is_anonymous(vma) && !vmg->file)
+	return true;
 if (!mpol_equal(vmg->policy, vma_policy(vma)))
 	return false;
...>
}
