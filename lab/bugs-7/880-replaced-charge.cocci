// SPDX-License-Identifier: GPL-2.0-or-later
// number: 880
// kind: bug
// title: a private writable mapping that takes the place of accounted areas of
//   exactly its own size is not charged, but the charge of what it replaces is
//   given back all the same
// function: __mmap_setup
// breaks: what the kernel promises for areas (Committed_AS) is their size
// resembles: none known
// file: mm/vma.c

@@
identifier F =~ "^__mmap_setup$";
@@
F(...)
{
<...
-vms->nr_accounted = 0;
+if (uncharged || !rmap_bug_is(880))
+	vms->nr_accounted = 0;
...>
}
