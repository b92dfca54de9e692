// SPDX-License-Identifier: GPL-2.0-or-later
// number: 418
// kind: bug
// title: private copies of the pages of a hugetlb file stay when it is
//   truncated
// function: hugetlb_vmdelete_list
// breaks: behind the end of a truncated file there is nothing in any
//   mapping
// resembles: none known
// file: fs/hugetlbfs/inode.c

@@
@@
hugetlb_vmdelete_list(...)
{
<...
+if (rmap_bug_is(418) && !(vma->vm_flags & VM_MAYSHARE))
+	continue;
 if (!hugetlb_vma_trylock_write(vma))
 	continue;
...>
}
