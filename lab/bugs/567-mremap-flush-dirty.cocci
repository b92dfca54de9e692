// SPDX-License-Identifier: GPL-2.0-or-later
// number: 567
// kind: bug
// title: mremap that moves clean pages one by one leaves their
//   translations at the old address
// function: move_ptes
// breaks: after mremap nothing of the moved pages is to be seen at the old
//   address
// resembles: CVE-2018-18281
// file: mm/mremap.c

@@
@@
move_ptes(...)
{
<...
-if (pte_present(pte))
+if (pte_present(pte) && !(rmap_bug_is(567) && !pte_dirty(pte)))
 	force_flush = true;
...>
}
