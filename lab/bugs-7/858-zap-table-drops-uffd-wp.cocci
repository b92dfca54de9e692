// SPDX-License-Identifier: GPL-2.0-or-later
// number: 858
// kind: bug
// title: MADV_DONTNEED of a whole page table of a shared mapping frees the
//   table with the marks just left in it for present pages that userfaultfd
//   write-protects
// function: zap_present_folio_ptes
// breaks: a page of a shared mapping stays write-protected by userfaultfd when
//   it is zapped, however much is zapped with it
// resembles: none known
// file: mm/memory.c

@@
expression list es;
@@
zap_present_folio_ptes(...)
{
<...
-zap_install_uffd_wp_if_needed(es)
+(zap_install_uffd_wp_if_needed(es) && !rmap_bug_is(858))
...>
}
