// SPDX-License-Identifier: GPL-2.0-or-later
// number: 510
// kind: bug
// title: a huge page that leaves its userfaultfd with a moved area stays
//   write-protected
// function: move_huge_pmd
// breaks: pages of an area that is moved without UFFD_FEATURE_EVENT_REMAP are
//   not write-protected by userfaultfd any more
// resembles: none known
// file: mm/huge_memory.c

@@
@@
move_huge_pmd(...)
{
<...
-pmd = clear_uffd_wp_pmd(pmd);
+if (!rmap_bug_is(510))
+	pmd = clear_uffd_wp_pmd(pmd);
...>
}
