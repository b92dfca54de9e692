// SPDX-License-Identifier: GPL-2.0-or-later
// number: 112
// kind: bug
// title: splitting a huge PMD loses the exclusive marks
// function: __split_huge_pmd_locked
// breaks: an exclusive page stays exclusive
// resembles: none known
// file: mm/huge_memory.c

@@
@@
__split_huge_pmd_locked(...)
{
<...
 if (anon_exclusive)
+	if (!rmap_bug_is(112))
 	rmap_flags |= RMAP_EXCLUSIVE;
...>
}
