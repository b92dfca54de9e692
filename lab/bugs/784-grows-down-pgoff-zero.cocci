// SPDX-License-Identifier: GPL-2.0-or-later
// number: 784
// kind: bug
// title: a MAP_GROWSDOWN area begins with page offset 0, so it can never
//   grow
// function: do_mmap
// breaks: the page offset of an anonymous area is that of its address,
//   which leaves room to grow down
// resembles: none known
// file: mm/mmap.c

@@
@@
do_mmap(...)
{
<...
 pgoff = addr >> PAGE_SHIFT;
+if (rmap_bug_is(784) && (vm_flags & VM_GROWSDOWN))
+	pgoff = 0;
...>
}
