// SPDX-License-Identifier: GPL-2.0-or-later
// number: 611
// kind: bug
// title: an area that grows while it moves is put into the anon_vma trees
//   with its former length
// function: copy_vma
// breaks: the pages of the new part of an area that was moved and grown
//   are found
// resembles: none known
// file: mm/vma.c

@@
@@
copy_vma(...)
{
<...
-vma_set_range(new_vma, addr, addr + len, pgoff);
+if (!rmap_bug_is(611))
+	vma_set_range(new_vma, addr, addr + len, pgoff);
...>
}

@@
@@
copy_vma(...)
{
<...
 if (anon_vma_clone(new_vma, vma))
 	goto out_free_mempol;
+if (rmap_bug_is(611))
+	vma_set_range(new_vma, addr, addr + len, pgoff);
...>
}
