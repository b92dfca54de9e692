// SPDX-License-Identifier: GPL-2.0-or-later
// number: 456
// kind: bug
// title: a tmpfs page that a shared mapping's fault reads from swap is
//   clean, as if the mapping would make it dirty, and its slot in swap is gone
// function: shmem_swapin_folio
// breaks: what was written to shared memory is still there however often it
//   is swapped out and in
// resembles: none known
// file: mm/shmem.c

@@
@@
shmem_swapin_folio(...)
{
<...
 delete_from_swap_cache(folio);
-folio_mark_dirty(folio);
+if (!(rmap_bug_is(456) && vma && (vma->vm_flags & VM_SHARED)))
+	folio_mark_dirty(folio);
...>
}
