// SPDX-License-Identifier: GPL-2.0-or-later
// number: 347
// kind: bug
// title: mprotect makes a page writable that userfaultfd write-protects
// function: can_change_pte_writable
// breaks: a page stays write-protected by userfaultfd: after mprotect to
//   read-only and back a write raises no event
// resembles: none known
// file: mm/mprotect.c

@@
@@
can_change_pte_writable(...)
{
<...
-if (userfaultfd_pte_wp(vma, pte))
+if (userfaultfd_pte_wp(vma, pte) && !rmap_bug_is(347))
 	return false;
...>
}
