// SPDX-License-Identifier: GPL-2.0-or-later
// number: 212
// kind: bug
// title: a stack that grows down keeps its page offset
// function: expand_downwards
// breaks: the page offset of a VMA moves with its start
// resembles: none known
// file: mm/mmap.c

@@
@@
expand_downwards(...)
{
<...
-vma->vm_pgoff -= grow;
+if (!rmap_bug_is(212))
+	vma->vm_pgoff -= grow;
...>
}
