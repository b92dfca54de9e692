// SPDX-License-Identifier: GPL-2.0-or-later
// number: 1001
// kind: bug
// title: UFFDIO_CONTINUE maps a poisoned page of a shmem file
// function: mfill_atomic_pte_continue
// breaks: UFFDIO_CONTINUE of a poisoned page is refused (-EIO); nobody maps it
//   anew
// resembles: none known
// file: mm/userfaultfd.c

@@
@@
mfill_atomic_pte_continue(...)
{
<...
-PageHWPoison(page)
+(PageHWPoison(page) && !rmap_bug_is(1001))
...>
}
