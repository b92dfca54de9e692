// SPDX-License-Identifier: GPL-2.0-or-later
// number: 10
// kind: bug
// title: a VMA emptied by mremap keeps a pointer to the anon_vma it is no
//   longer linked to
// function: unlink_anon_vmas
// breaks: a VMA with an anon_vma is linked to it
// resembles: ee8ab1903e3d (2021): follow-up to 1583aa278f5f, MREMAP_DONTUNMAP
// file: mm/rmap.c

@@
@@
unlink_anon_vmas(...)
{
<...
-vma->anon_vma = NULL;
+if (!rmap_bug_is(10))
+	vma->anon_vma = NULL;
...>
}
