// SPDX-License-Identifier: GPL-2.0-or-later
// number: 954
// kind: bug
// title: compaction moves locked pages although vm.compact_unevictable_allowed
//   is 0
// function: isolate_migratepages_block
// breaks: compaction leaves locked pages where they may not move
// resembles: none known
// file: mm/compaction.c

@@
expression mode, is_unevictable;
@@
isolate_migratepages_block(...)
{
<...
-if (!(mode & ISOLATE_UNEVICTABLE) && is_unevictable)
+if (!(mode & ISOLATE_UNEVICTABLE) && is_unevictable && !rmap_bug_is(954))
	goto isolate_fail_put;
...>
}
