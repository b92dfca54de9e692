// SPDX-License-Identifier: GPL-2.0-or-later
// number: 823
// kind: bug
// title: an anonymous page that is swapped out loses its write protection
//   by userfaultfd
// function: swp_pte_prepare
// breaks: an entry keeps its bits while the page is away
// resembles: none known
// file: mm/rmap.c

@@
@@
swp_pte_prepare(...)
{
<...
-pte_uffd(old_pte)
+(pte_uffd(old_pte) && !rmap_bug_is(823))
...>
}
