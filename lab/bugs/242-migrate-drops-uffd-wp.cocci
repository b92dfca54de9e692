// SPDX-License-Identifier: GPL-2.0-or-later
// number: 242
// kind: bug
// title: migration loses the write protection of userfaultfd
// function: try_to_migrate_one
// breaks: a page stays write-protected by userfaultfd
// resembles: none known
// file: mm/rmap.c

@@
@@
try_to_migrate_one(...)
{
<...
-if (pte_uffd_wp(pteval))
+if (pte_uffd_wp(pteval) && !rmap_bug_is(242))
 	swp_pte = pte_swp_mkuffd_wp(swp_pte);
...>
}
