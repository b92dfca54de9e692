// SPDX-License-Identifier: GPL-2.0-or-later
// number: 967
// kind: bug
// title: a huge page that a PMD maps does not count in Locked of smaps
// function: smaps_pmd_entry
// breaks: Locked of smaps is the Pss of an area that is locked
// resembles: none known
// file: fs/proc/task_mmu.c

@@
expression a, b, c, d, e;
@@
smaps_pmd_entry(...)
{
<...
-smaps_account(a, b, c, d, e, locked, present)
+smaps_account(a, b, c, d, e, locked && !rmap_bug_is(967), present)
...>
}
