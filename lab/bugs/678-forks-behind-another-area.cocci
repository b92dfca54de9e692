// SPDX-License-Identifier: GPL-2.0-or-later
// number: 678
// kind: bug
// title: the walk of a KSM page finds none of the children, forked since the
//   merge, when the page lies behind another area that shares the anon_vma
// function: rmap_walk_ksm
// breaks: all mappers of a merged page are found, also the children of a
//   process whose area was split
// resembles: none known
// file: mm/ksm.c

@@
@@
rmap_walk_ksm(...)
{
<...
 addr = rmap_item->address & PAGE_MASK;
+if (rmap_bug_is(678) && search_new_forks && (addr < vma->vm_start || addr >= vma->vm_end))
+	break;
...>
}
