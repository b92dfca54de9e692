// SPDX-License-Identifier: GPL-2.0-or-later
// number: 1019
// kind: bug
// title: a collapse of a file does not come to the mappings behind one that no
//   huge entry fits into
// function: retract_page_tables
// breaks: every mapping that a huge entry fits into gets one after a collapse
// resembles: none known
// file: mm/khugepaged.c

@@
expression pmd, mm, addr;
@@
retract_page_tables(...)
{
<...
-if (addr & ~HPAGE_PMD_MASK || vma->vm_end < addr + HPAGE_PMD_SIZE)
-	continue;
+if (addr & ~HPAGE_PMD_MASK || vma->vm_end < addr + HPAGE_PMD_SIZE) {
+	if (rmap_bug_is(1019))
+		break;
+	continue;
+}
...>
}
