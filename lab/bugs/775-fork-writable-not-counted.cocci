// SPDX-License-Identifier: GPL-2.0-or-later
// number: 775
// kind: bug
// title: a child's shared mapping is not counted among those that may write
//   the file, though it is taken off the count when it goes
// function: dup_mmap
// breaks: a file is sealed against writing (F_SEAL_WRITE) only when no
//   process maps it writable, and can be mapped writable as long as it is
//   not sealed
// resembles: none known
// file: kernel/fork.c

@@
@@
dup_mmap(...)
{
<...
-vma_is_shared_maywrite(tmp)
+vma_is_shared_maywrite(tmp) && !rmap_bug_is(775)
...>
}
