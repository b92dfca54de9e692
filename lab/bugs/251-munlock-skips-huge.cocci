// SPDX-License-Identifier: GPL-2.0-or-later
// number: 251
// kind: bug
// title: munlock leaves a huge page marked
// function: mlock_pte_range
// breaks: a page is marked as locked while a mapper locks it, and not longer
// resembles: none known
// file: mm/mlock.c

@@
@@
mlock_pte_range(...)
{
<...
 folio = pmd_folio(*pmd);
 if (vma->vm_flags & VM_LOCKED)
 	mlock_folio(folio);
-else
+else if (!rmap_bug_is(251))
 	munlock_folio(folio);
...>
}
