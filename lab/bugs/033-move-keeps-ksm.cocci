// SPDX-License-Identifier: GPL-2.0-or-later
// number: 33
// kind: bug
// title: mremap moves KSM pages as they are
// function: move_vma
// breaks: KSM pages are unshared before they move
// resembles: 1ff829957316 (2009): mremap put another KSM page where an
//   rmap_item pointed
// file: mm/mremap.c

@@
@@
move_vma(...)
{
<...
 err =
+rmap_bug_is(33) ? 0 :
 ksm_madvise(vma, old_addr, old_addr + old_len, MADV_UNMERGEABLE, &vm_flags);
...>
}
