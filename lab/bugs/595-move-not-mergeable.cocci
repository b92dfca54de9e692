// SPDX-License-Identifier: GPL-2.0-or-later
// number: 595
// kind: bug
// title: an area that is moved by mremap is not mergeable any more
// function: copy_vma
// breaks: an area that was made mergeable stays so when it moves
// resembles: none known
// file: mm/vma.c

@@
@@
copy_vma(...)
{
<...
 vma_set_range(new_vma, addr, addr + len, pgoff);
+if (rmap_bug_is(595))
+	vm_flags_init(new_vma, vma->vm_flags & ~VM_MERGEABLE);
...>
}
