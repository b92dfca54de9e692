// SPDX-License-Identifier: GPL-2.0-or-later
// number: 329
// kind: bug
// title: the fault that brings a file page back forgets the mark that userfaultfd
//   has write-protected it
// function: set_pte_range
// breaks: a write-protected page of an object stays so when it comes back
// resembles: none known
// resembles: none known
// file: mm/memory.c

@@
@@
set_pte_range(...)
{
<...
-vmf_orig_pte_uffd_wp(vmf)
+(vmf_orig_pte_uffd_wp(vmf) && !rmap_bug_is(329))
...>
}
