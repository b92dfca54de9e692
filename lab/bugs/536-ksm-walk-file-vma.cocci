// SPDX-License-Identifier: GPL-2.0-or-later
// number: 536
// kind: bug
// title: the walk of a KSM page passes over private mappings of files
// function: rmap_walk_ksm
// breaks: a merged page is found in all areas that map it, also where it
//   was the private copy of a file's page
// resembles: none known
// file: mm/ksm.c

@@
@@
rmap_walk_ksm(...)
{
<...
 if (rwc->invalid_vma && rwc->invalid_vma(vma, rwc->arg))
 	continue;
+if (rmap_bug_is(536) && vma->vm_file)
+	continue;
...>
}
