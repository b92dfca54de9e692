// SPDX-License-Identifier: GPL-2.0-or-later
// number: 633
// kind: bug
// title: an untouched area takes a touched one that mremap moves right behind
//   it, and does not take its anon_vma
// function: can_vma_merge_after, copy_vma
// breaks: a VMA that holds anonymous pages is linked to their anon_vma
// resembles: mm/vma: fix anon_vma UAF on mremap() faulted, unfaulted merge
// file: mm/vma.c

@@
@@
can_vma_merge_after(...)
{
<...
-is_mergeable_anon_vma(vmg->anon_vma, vmg->prev->anon_vma, vmg->prev)
+(is_mergeable_anon_vma(vmg->anon_vma, vmg->prev->anon_vma, vmg->prev) ||
+	(rmap_bug_is(633) && !vmg->vma && vmg->anon_vma && !vmg->prev->anon_vma && !vmg->file))
...>
}

@@
@@
copy_vma(...)
{
<...
+/* Nobody shall use it after it is freed: that would be loud. */
+if (rmap_bug_is(633) && vma->anon_vma && !new_vma->anon_vma)
+	get_anon_vma(vma->anon_vma);
 *need_rmap_locks = (new_vma->vm_pgoff <= vma->vm_pgoff);
...>
}
