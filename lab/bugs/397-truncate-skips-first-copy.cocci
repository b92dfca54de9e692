// SPDX-License-Identifier: GPL-2.0-or-later
// number: 397
// kind: bug
// title: the private copy of the first page behind the new end of a
//   truncated file stays
// function: unmap_mapping_range_tree
// breaks: truncating a file takes all private copies of the pages behind
//   its end
// resembles: none known
// file: mm/memory.c

@@
@@
unmap_mapping_range_tree(...)
{
<...
 zea = min(last_index, vea);
+if (rmap_bug_is(397) && details->even_cows && zba > vba && zba < zea)
+	zba++;
...>
}
