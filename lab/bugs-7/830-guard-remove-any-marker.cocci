// SPDX-License-Identifier: GPL-2.0-or-later
// number: 830
// kind: bug
// title: MADV_GUARD_REMOVE takes other marks in page tables away too: those
//   of UFFDIO_POISON, and those of userfaultfd's write protection where no
//   page is
// function: guard_remove_pte_entry
// breaks: MADV_GUARD_REMOVE takes guard pages away and leaves all else as it
//   is
// resembles: none known
// file: mm/madvise.c

@@
@@
guard_remove_pte_entry(...)
{
<...
-is_guard_pte_marker(ptent)
+(is_guard_pte_marker(ptent) ||
+	(rmap_bug_is(830) && pte_is_marker(ptent)))
...>
}
