// SPDX-License-Identifier: GPL-2.0-or-later
// number: 692
// kind: bug
// title: mprotect with PROT_GROWSDOWN changes the given pages only
// function: do_mprotect_pkey
// breaks: PROT_GROWSDOWN changes all pages from the area's first on
// resembles: none known
// file: mm/mprotect.c

@@
@@
do_mprotect_pkey(...)
{
<...
-start = vma->vm_start;
+if (!(rmap_bug_is(692) && start > vma->vm_start))
+	start = vma->vm_start;
 error = -EINVAL;
...>
}
