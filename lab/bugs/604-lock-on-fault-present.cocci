// SPDX-License-Identifier: GPL-2.0-or-later
// number: 604
// kind: bug
// title: a lock on fault (MLOCK_ONFAULT) does not mlock the pages that are
//   present already
// function: mlock_fixup
// breaks: all present pages of a locked area are mlocked, also when the area
//   is locked on fault
// resembles: none known
// file: mm/mlock.c

@@
@@
mlock_fixup(...)
{
<...
-(newflags & VM_LOCKED) && (oldflags & VM_LOCKED)
+(newflags & VM_LOCKED) && ((oldflags & VM_LOCKED) ||
+	(rmap_bug_is(604) && (newflags & VM_LOCKONFAULT)))
...>
}
