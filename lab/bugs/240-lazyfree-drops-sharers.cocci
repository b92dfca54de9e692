// SPDX-License-Identifier: GPL-2.0-or-later
// number: 240
// kind: bug
// title: a shared page that one mapper has given up (MADV_FREE) is thrown
//   away although another has written it
// function: try_to_unmap_one
// breaks: a written page is not thrown away
// resembles: 29f40594a281 (CVE-2026-31398) is about lazily freed shared
//   pages
// file: mm/rmap.c

@@
@@
try_to_unmap_one(...)
{
<...
 (!folio_test_dirty(folio) ||
-(vma->vm_flags & VM_DROPPABLE))
+(vma->vm_flags & VM_DROPPABLE) ||
+(rmap_bug_is(240) && map_count > 1))
...>
}
