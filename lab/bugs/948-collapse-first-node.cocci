// SPDX-License-Identifier: GPL-2.0-or-later
// number: 948
// kind: bug
// title: a collapse puts the huge page on the first node that any of its pages
//   are on
// function: hpage_collapse_find_target_node
// breaks: a huge page is on the node that most of its small pages were on
// resembles: none known
// file: mm/khugepaged.c

@@
identifier cc, nid, max_value, target_node;
@@
hpage_collapse_find_target_node(...)
{
<...
if (cc->node_load[nid] > max_value) {
	max_value = cc->node_load[nid];
	target_node = nid;
+	if (rmap_bug_is(948))
+		break;
}
...>
}
