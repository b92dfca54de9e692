// SPDX-License-Identifier: GPL-2.0-or-later
// number: 616
// kind: bug
// title: a page that was given up (MADV_FREE) is thrown away although
//   others hold a reference to it
// function: try_to_unmap_one
// breaks: a page that was given up stays mapped while somebody may still
//   write it through a reference
// resembles: 6c8e2a256915 (mm: fix race between MADV_FREE reclaim and
//   blkdev direct IO read)
// file: mm/rmap.c

@@
@@
try_to_unmap_one(...)
{
<...
-ref_count == 1 + map_count
+(rmap_bug_is(616) || ref_count == 1 + map_count)
...>
}
