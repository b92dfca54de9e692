// SPDX-License-Identifier: GPL-2.0-or-later
// number: 712
// kind: bug
// title: a pin for reading of a page that no one shares any more, as its
//   last sharer has gone, counts as a write to it: it is soft-dirty then, and
//   writable though userfaultfd write-protects it
// function: do_wp_page
// breaks: a read, also one by a pin, neither makes a page soft-dirty nor
//   ends its write protection by userfaultfd
// resembles: none known
// file: mm/memory.c

@@
@@
do_wp_page(...)
{
<...
 if (
-	unlikely(unshare)
+	unlikely(unshare) && !rmap_bug_is(712)
    ) {
 	pte_unmap_unlock(vmf->pte, vmf->ptl);
 	return 0;
 }
...>
}
