// SPDX-License-Identifier: GPL-2.0-or-later
// number: 1007
// kind: bug
// title: an area that mremap moves loses its memory policy (mbind)
// function: copy_vma
// breaks: an area keeps its memory policy when it moves
// resembles: none known
// file: mm/vma.c

@@
@@
copy_vma(...)
{
+/* The policy of this one, none, is what the new area gets. */
+static struct vm_area_struct bug_no_policy;
...
}

@@
@@
copy_vma(...)
{
<...
-vma_dup_policy(vma, new_vma)
+vma_dup_policy(rmap_bug_is(1007) ? &bug_no_policy : vma, new_vma)
...>
}
