// SPDX-License-Identifier: GPL-2.0-or-later
// number: 632
// kind: bug
// title: the upper half of an anonymous VMA that was moved by mremap before it
//   is split gets the page offset of its address
// function: __split_vma
// breaks: the parts of a split VMA keep the page offsets that its pages have
// resembles: none known
// file: mm/vma.c

@@
@@
__split_vma(...)
{
<...
+if (rmap_bug_is(632) && !new_below && vma_is_anonymous(vma) && !vma->vm_file)
+	new->vm_pgoff = addr >> PAGE_SHIFT;
 err = vma_dup_policy(vma, new);
...>
}
