// SPDX-License-Identifier: GPL-2.0-or-later
// number: 878
// kind: bug
// title: MADV_GUARD_INSTALL takes any mark for a guard page: pages that
//   UFFDIO_POISON has marked, or userfaultfd's write protection where no page
//   is, are not made guard pages although the call succeeds
// function: guard_install_pte_entry
// breaks: all pages of the range are guard pages after MADV_GUARD_INSTALL,
//   whatever was there: a touch gets SIGSEGV
// resembles: none known
// file: mm/madvise.c

@@
@@
guard_install_pte_entry(...)
{
<...
-is_guard_pte_marker(pteval)
+(is_guard_pte_marker(pteval) || (rmap_bug_is(878) && pte_is_marker(pteval)))
...>
}
