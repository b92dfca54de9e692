// SPDX-License-Identifier: GPL-2.0-or-later
// number: 829
// kind: bug
// title: a new area that joins its two neighbours loses the mark of the
//   right one that it may have guard pages
// function: vma_expand
// breaks: areas that become one keep the marks of each, those of the right
//   one too: a child gets its guard pages
// resembles: none known
// file: mm/vma.c

@@
@@
vma_expand(...)
{
<...
-vma_flags_set_mask(&sticky_flags, next_sticky);
+if (!rmap_bug_is(829))
+	vma_flags_set_mask(&sticky_flags, next_sticky);
...>
}
