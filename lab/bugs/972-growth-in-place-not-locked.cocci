// SPDX-License-Identifier: GPL-2.0-or-later
// number: 972
// kind: bug
// title: a locked area that mremap grows in place is not counted as locked for
//   what it grew
// function: mremap
// breaks: VmLck is the size of the locked areas, also when one of them has
//   grown
// resembles: none known
// file: mm/mremap.c

@@
@@
mremap(...)
{
<...
-mm->locked_vm += pages;
+if (!rmap_bug_is(972))
+	mm->locked_vm += pages;
...>
}
