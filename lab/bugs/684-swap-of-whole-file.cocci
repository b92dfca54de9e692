// SPDX-License-Identifier: GPL-2.0-or-later
// number: 684
// kind: bug
// title: a mapping that does not begin with its tmpfs file, and is as long as
//   the file or longer, counts all that is swapped of the file
// function: shmem_swap_usage
// breaks: Swap of a mapping of a tmpfs file counts the pages that it maps
// resembles: none known
// file: mm/shmem.c

@@
@@
shmem_swap_usage(...)
{
<...
-!vma->vm_pgoff
+(!vma->vm_pgoff || rmap_bug_is(684))
...>
}
