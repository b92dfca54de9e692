// SPDX-License-Identifier: GPL-2.0-or-later
// number: 808
// kind: bug
// title: reclaim takes the entries of a large lazyfree folio together
//   whether they are writable and soft-dirty or not, and when the folio has
//   to stay they all get the bits of the first
// function: folio_unmap_pte_batch
// breaks: an entry that reclaim puts back is as it was: soft-dirty when its
//   page was written, and only then
// resembles: none known
// file: mm/rmap.c

@@
@@
folio_unmap_pte_batch(...)
{
<...
-FPB_RESPECT_WRITE | FPB_RESPECT_SOFT_DIRTY
+(rmap_bug_is(808) ? 0 : FPB_RESPECT_WRITE | FPB_RESPECT_SOFT_DIRTY)
...>
}
