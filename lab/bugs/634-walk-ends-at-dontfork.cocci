// SPDX-License-Identifier: GPL-2.0-or-later
// number: 634
// kind: bug
// title: the walk of an anonymous page ends at an area that children do not
//   get (MADV_DONTFORK), although a fork shared the page before
// function: rmap_walk_anon
// breaks: all mappers of an anonymous page are found, also when one of them
//   keeps the page from further children
// resembles: none known
// file: mm/rmap.c

@@
@@
rmap_walk_anon(...)
{
<...
 if (!rwc->rmap_one(folio, vma, address, rwc->arg))
 	break;
+if (rmap_bug_is(634) && rwc->anon_lock && (vma->vm_flags & VM_DONTCOPY))
+	break;
...>
}
