// SPDX-License-Identifier: GPL-2.0-or-later
// number: 861
// kind: bug
// title: in an area that is registered for userfaultfd's protection from any
//   access, a page that is not protected stays writable in the parent of a
//   fork, and the child sees its writes
// function: __copy_present_ptes
// breaks: a private page that a fork shares is read-only for parent and child,
//   registered with a userfaultfd or not
// resembles: none known
// file: mm/memory.c

@@
@@
__copy_present_ptes(...)
{
<...
-pte_uffd(pte)
+(pte_uffd(pte) || rmap_bug_is(861))
...>
}

@@
@@
__copy_present_ptes(...)
{
<...
 pte = pte_clear_uffd(pte);
+if (rmap_bug_is(861))
+	writable = pte_write(pte);
...>
}
