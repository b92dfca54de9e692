// SPDX-License-Identifier: GPL-2.0-or-later
// number: 586
// kind: bug
// title: a shared mapping that goes by merging with its neighbour is still
//   counted among those that may write the file
// function: vma_complete
// breaks: a memfd that nobody maps any more can be sealed (F_SEAL_WRITE)
// resembles: none known
// file: mm/vma.c

@@
@@
vma_complete(...)
{
<...
 if (vp->remove && vp->file) {
+	if (rmap_bug_is(586) && vma_is_shared_maywrite(vp->remove))
+		mapping_allow_writable(vp->mapping);
 	__remove_shared_vm_struct(vp->remove, vp->mapping);
 	...
 } else if (...) { ... }
...>
}
