// SPDX-License-Identifier: GPL-2.0-or-later
// number: 988
// kind: bug
// title: mprotect of a huge page ends the write protection of userfaultfd
// function: change_huge_pmd
// breaks: userfaultfd's write protection stays until it is taken off
// resembles: none known
// file: mm/huge_memory.c

@@
expression E;
@@
change_huge_pmd(...)
{
<...
 entry = pmd_modify(E, newprot);
+if (rmap_bug_is(988) && !(cp_flags & MM_CP_PROT_NUMA))
+	entry = pmd_clear_uffd_wp(entry);
...>
}
