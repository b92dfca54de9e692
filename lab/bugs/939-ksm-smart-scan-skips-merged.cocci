// SPDX-License-Identifier: GPL-2.0-or-later
// number: 939
// kind: bug
// title: the smart scan of ksmd skips merged pages as well, and takes them off
//   the list of their mappers
// function: should_skip_rmap_item
// breaks: merged pages stay merged, and are found, however often ksmd comes by
// resembles: none known
// file: mm/ksm.c

@@
expression page;
@@
should_skip_rmap_item(...)
{
<...
-if (PageKsm(page))
+if (PageKsm(page) && !rmap_bug_is(939))
	return false;
...>
}
