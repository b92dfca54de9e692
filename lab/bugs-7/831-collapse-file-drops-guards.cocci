// SPDX-License-Identifier: GPL-2.0-or-later
// number: 831
// kind: bug
// title: a collapse of a file's pages takes the guard pages of all processes
//   that map the file there
// function: file_backed_vma_is_retractable
// breaks: a guard page stays when another process collapses the file: a
//   touch there gets SIGSEGV
// resembles: none known
// file: mm/khugepaged.c

@@
@@
file_backed_vma_is_retractable(...)
{
<...
-vma_test_atomic_flag(vma, VMA_MAYBE_GUARD_BIT)
+(vma_test_atomic_flag(vma, VMA_MAYBE_GUARD_BIT) && !rmap_bug_is(831))
...>
}
