// SPDX-License-Identifier: GPL-2.0-or-later
// number: 905
// kind: variation
// title: no VMAs ever merge
// function: is_mergeable_vma
// breaks: nothing: merging is thrift
// resembles: none
// file: mm/vma.c

@@
statement S;
@@
is_mergeable_vma(...)
{
...
+if (rmap_bug_is(905))
+	return false;
 if (vma->vm_file != vmg->file) S
...
}
