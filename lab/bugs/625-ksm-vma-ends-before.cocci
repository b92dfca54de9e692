// SPDX-License-Identifier: GPL-2.0-or-later
// number: 625
// kind: bug
// title: the walk of a KSM page takes a VMA that ends right before the
//   page for one that holds it
// function: rmap_walk_ksm
// breaks: each entry of a merged page is looked at with the VMA it is in:
//   its rights, its lock
// resembles: none known
// file: mm/ksm.c

@@
@@
rmap_walk_ksm(...)
{
<...
 if (addr < vma->vm_start ||
-	addr >= vma->vm_end
+	(rmap_bug_is(625) ? addr > vma->vm_end : addr >= vma->vm_end)
    )
 	continue;
...>
}
