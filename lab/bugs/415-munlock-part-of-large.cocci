// SPDX-License-Identifier: GPL-2.0-or-later
// number: 415
// kind: bug
// title: a large folio of which a part is munlocked stays mlocked
// function: allow_mlock_munlock
// breaks: what is in no locked area as a whole is not mlocked: munlock of
//   one half and then of the other lets the pages be reclaimed
// resembles: none known
// file: mm/mlock.c

@@
@@
allow_mlock_munlock(...)
{
<...
-if (!(vma->vm_flags & VM_LOCKED))
+if (!(vma->vm_flags & VM_LOCKED) &&
+    !(rmap_bug_is(415) && folio_test_large(folio)))
 	return true;
...>
}
