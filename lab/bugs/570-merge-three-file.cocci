// SPDX-License-Identifier: GPL-2.0-or-later
// number: 570
// kind: bug
// title: when three areas of a file become one, a reference to the file is
//   left behind
// function: vma_complete
// breaks: a file that is deleted and that nobody maps any more is freed
// resembles: none known
// file: mm/vma.c

@@
@@
vma_complete(...)
{
<...
-fput(vp->file);
+if (!(rmap_bug_is(570) && vp->remove2))
+	fput(vp->file);
...>
}
