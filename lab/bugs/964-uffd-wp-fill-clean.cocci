// SPDX-License-Identifier: GPL-2.0-or-later
// number: 964
// kind: bug
// title: a page that userfaultfd fills in write-protected
//   (UFFDIO_COPY_MODE_WP) is not dirty, and reclaim throws it away
// function: mfill_atomic_install_pte
// breaks: what was filled in stays, as something written does: a page of
//   tmpfs that is paged out goes to swap, and comes back with its content
// resembles: none known
// file: mm/userfaultfd.c

@@
@@
mfill_atomic_install_pte(...)
{
<...
-_dst_pte = pte_mkdirty(_dst_pte);
+if (!rmap_bug_is(964) || !(flags & MFILL_ATOMIC_WP))
+	_dst_pte = pte_mkdirty(_dst_pte);
...>
}
