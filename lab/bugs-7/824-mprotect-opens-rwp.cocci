// SPDX-License-Identifier: GPL-2.0-or-later
// number: 824
// kind: bug
// title: mprotect makes pages accessible again that userfaultfd protects
//   from any access
// function: change_present_ptes
// breaks: a page that UFFDIO_RWPROTECT protects stays so whatever its area's
//   protection becomes, until the userfaultfd lets it go
// resembles: none known
// file: mm/mprotect.c

@@
identifier ptent;
@@
change_present_ptes(...)
{
<...
-if (userfaultfd_rwp(vma) && pte_uffd(ptent))
+if (userfaultfd_rwp(vma) && pte_uffd(ptent) &&
+    !(rmap_bug_is(824) && !uffd_prot))
	ptent = pte_modify(ptent, PAGE_NONE);
...>
}
