// SPDX-License-Identifier: GPL-2.0-or-later
// number: 1020
// kind: bug
// title: userfaultfd's write protection taken away takes poison marks with it
// function: change_pte_range
// breaks: a page marked by UFFDIO_POISON kills who touches it until it is
//   unmapped or filled
// resembles: none known
// file: mm/mprotect.c

@@
@@
change_pte_range(...)
{
<...
-is_poisoned_swp_entry(entry)
+(is_poisoned_swp_entry(entry) && !rmap_bug_is(1020))
...>
}
