// SPDX-License-Identifier: GPL-2.0-or-later
// number: 615
// kind: bug
// title: the walk of a large folio that goes on past its VMA goes on too,
//   into the next VMA
// function: vma_address_end
// breaks: each entry of a large folio is looked at with the VMA it is in:
//   its rights, its lock
// resembles: none known
// file: mm/internal.h

@@
@@
vma_address_end(...)
{
<...
 if (address < vma->vm_start ||
-	address > vma->vm_end
+	(address > vma->vm_end && !rmap_bug_is(615))
    )
 	address = vma->vm_end;
...>
}
