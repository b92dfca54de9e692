// SPDX-License-Identifier: GPL-2.0-or-later
// number: 864
// kind: bug
// title: UFFDIO_RWPROTECT passes over pages that mprotect(PROT_NONE) has made
//   inaccessible already, and they are accessible when mprotect gives the
//   access back
// function: change_pte_range
// breaks: UFFDIO_RWPROTECT protects all pages of its range, whatever mprotect
//   did to them before
// resembles: none known
// file: mm/mprotect.c

@@
@@
change_pte_range(...)
{
<...
-pte_uffd(oldpte)
+(pte_uffd(oldpte) || rmap_bug_is(864))
...>
}
