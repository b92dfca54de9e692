// SPDX-License-Identifier: GPL-2.0-or-later
// number: 924
// kind: variation
// title: processes never share the page tables of hugetlb mappings
// function: want_pmd_share
// breaks: nothing: to share them is thrift, and other architectures do not
// resembles: none
// file: mm/hugetlb.c

@@
@@
want_pmd_share(...)
{
...
+if (rmap_bug_is(924))
+	return false;
 if (!(vma->vm_flags & VM_MAYSHARE)) return false;
...
}
