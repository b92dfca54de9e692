// SPDX-License-Identifier: GPL-2.0-or-later
// number: 463
// kind: bug
// title: an area without a memory policy merges with the next one that has
//   one, and takes its policy
// function: is_mergeable_vma
// breaks: areas with different memory policies do not merge, and the pages
//   of a new area do not follow the policy of its neighbour
// resembles: none known
// file: mm/vma.c

@@
@@
is_mergeable_vma(...)
{
<...
-if (!mpol_equal(vmg->policy, vma_policy(vma)))
+if (!mpol_equal(vmg->policy, vma_policy(vma)) &&
+    !(rmap_bug_is(463) && merge_next && !vmg->policy))
 	return false;
...>
}
