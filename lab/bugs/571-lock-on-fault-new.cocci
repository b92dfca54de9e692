// SPDX-License-Identifier: GPL-2.0-or-later
// number: 571
// kind: bug
// title: a new page in an area that is locked on fault (MLOCK_ONFAULT) is not
//   mlocked
// function: folio_add_lru_vma
// breaks: a page that is faulted into a locked area is mlocked, also when the
//   area is locked on fault
// resembles: none known
// file: mm/swap.c

@@
@@
folio_add_lru_vma(...)
{
<...
-(vma->vm_flags & (VM_LOCKED | VM_SPECIAL)) == VM_LOCKED
+(vma->vm_flags & (VM_LOCKED | VM_SPECIAL |
+	(rmap_bug_is(571) ? VM_LOCKONFAULT : 0))) == VM_LOCKED
...>
}
