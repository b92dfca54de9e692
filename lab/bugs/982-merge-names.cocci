// SPDX-License-Identifier: GPL-2.0-or-later
// number: 982
// kind: bug
// title: adjacent anonymous areas of different names merge, and all of it has
//   one of the names
// function: is_mergeable_vma
// breaks: an area has the name that it was given; only areas of the same name
//   merge
// resembles: none known
// file: mm/vma.c

@@
@@
is_mergeable_vma(...)
{
<...
-if (!anon_vma_name_eq(anon_vma_name(vma), vmg->anon_name))
+if (!anon_vma_name_eq(anon_vma_name(vma), vmg->anon_name) &&
+    !rmap_bug_is(982))
 	return false;
...>
}
