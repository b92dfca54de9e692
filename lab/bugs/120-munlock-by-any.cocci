// SPDX-License-Identifier: GPL-2.0-or-later
// number: 120
// kind: bug
// title: a page is munlocked when any of its mappers goes
// function: munlock_vma_folio
// breaks: a page stays mlocked while a mapper locks it
// resembles: 66edc3a5894c (CVE-2024-53105) is about when the mark goes
// file: mm/internal.h

@@
@@
munlock_vma_folio(...)
{
<...
-vma->vm_flags & VM_LOCKED
+(vma->vm_flags & VM_LOCKED) ||
+(rmap_bug_is(120) && folio_test_mlocked(folio))
...>
}
