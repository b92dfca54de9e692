// SPDX-License-Identifier: GPL-2.0-or-later
// number: 405
// kind: bug
// title: a huge page stays writable in the parent of a fork
// function: copy_huge_pmd
// breaks: a page that two processes share is writable in none: what the
//   parent writes after a fork the child must not see
// resembles: none known
// file: mm/huge_memory.c

@@
@@
copy_huge_pmd(...)
{
<...
-pmdp_set_wrprotect(src_mm, addr, src_pmd);
+if (!rmap_bug_is(405))
+	pmdp_set_wrprotect(src_mm, addr, src_pmd);
...>
}
