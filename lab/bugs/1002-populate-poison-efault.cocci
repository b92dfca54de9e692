// SPDX-License-Identifier: GPL-2.0-or-later
// number: 1002
// kind: bug
// title: MADV_POPULATE_READ and MADV_POPULATE_WRITE say EFAULT for a poisoned
//   page
// function: faultin_page_range
// breaks: MADV_POPULATE_READ and MADV_POPULATE_WRITE tell poison (EHWPOISON)
//   from an address that is not valid
// resembles: none known
// file: mm/gup.c

@@
@@
faultin_page_range(...)
{
<...
-FOLL_HWPOISON
+(rmap_bug_is(1002) ? 0 : FOLL_HWPOISON)
...>
}
