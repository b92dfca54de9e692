// SPDX-License-Identifier: GPL-2.0-or-later
// number: 506
// kind: bug
// title: the child's huge page stays write-protected by userfaultfd, which the
//   child does not have
// function: copy_huge_pmd
// breaks: a child whose area is registered with no userfaultfd has no entries
//   that are marked as write-protected
// resembles: none known
// file: mm/huge_memory.c

@@
@@
copy_huge_pmd(...)
{
<...
-pmd = pmd_clear_uffd_wp(pmd);
+if (!rmap_bug_is(506))
+	pmd = pmd_clear_uffd_wp(pmd);
...>
}
