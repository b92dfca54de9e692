// SPDX-License-Identifier: GPL-2.0-or-later
// number: 828
// kind: bug
// title: an existing area that merges into its neighbour, as after mprotect,
//   loses the marks that have to stick: that it is new (soft-dirty) and that
//   it may have guard pages
// function: vma_merge_existing_range
// breaks: areas that become one keep the marks of each: soft-dirty, and that
//   there may be guard pages
// resembles: none known
// file: mm/vma.c

@@
@@
vma_merge_existing_range(...)
{
<...
-vma_set_flags_mask(vmg->target, sticky_flags);
+if (!rmap_bug_is(828))
+	vma_set_flags_mask(vmg->target, sticky_flags);
...>
}
