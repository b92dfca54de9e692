// SPDX-License-Identifier: GPL-2.0-or-later
// number: 743
// kind: bug
// title: ksmd, which forgets a process that has no mergeable area left,
//   does not hear of it again when the process makes another area mergeable
// function: scan_get_next_rmap_item
// breaks: pages of equal content in mergeable areas are merged, also when
//   the process had unmapped all its mergeable areas before
// resembles: none known
// file: mm/ksm.c

@@
@@
scan_get_next_rmap_item(...)
{
<...
-clear_bit(MMF_VM_MERGEABLE, &mm->flags);
+if (!rmap_bug_is(743) || ksm_test_exit(mm))
+	clear_bit(MMF_VM_MERGEABLE, &mm->flags);
...>
}
