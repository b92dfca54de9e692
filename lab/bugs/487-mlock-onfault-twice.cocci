// SPDX-License-Identifier: GPL-2.0-or-later
// number: 487
// kind: bug
// title: an area that is locked on fault counts twice when it is then locked
//   as a whole, or the other way round
// function: mlock_fixup
// breaks: VmLck is the size of the locked areas, however they came to be
//   locked
// resembles: none known
// file: mm/mlock.c

@@
@@
mlock_fixup(...)
{
<...
 if (
-	oldflags & VM_LOCKED
+	(oldflags & VM_LOCKED) && !rmap_bug_is(487)
    )
 	nr_pages = 0;
...>
}
