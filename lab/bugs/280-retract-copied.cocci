// SPDX-License-Identifier: GPL-2.0-or-later
// number: 280
// kind: bug
// title: collapsing a file's pages drops the private copies of other mappers
// function: retract_page_tables
// breaks: a private copy stays until its owner gives it up
// resembles: ab0c3f1251b4 (2023), 023f47a8250c (CVE-2023-52935)
// file: mm/khugepaged.c

@@
@@
retract_page_tables(...)
{
<...
-READ_ONCE(vma->anon_vma)
+READ_ONCE(vma->anon_vma) && !rmap_bug_is(280)
...>
}

@@
@@
retract_page_tables(...)
{
<...
-if (unlikely(vma->anon_vma || userfaultfd_wp(vma)))
+if (unlikely((vma->anon_vma && !rmap_bug_is(280)) || userfaultfd_wp(vma)))
 { ... } else { ... }
...>
}
