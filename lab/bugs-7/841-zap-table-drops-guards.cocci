// SPDX-License-Identifier: GPL-2.0-or-later
// number: 841
// kind: bug
// title: MADV_DONTNEED of a whole page table takes the guard pages in it
//   away
// function: zap_nonpresent_ptes
// breaks: guard pages stay when MADV_DONTNEED drops the pages around them,
//   be it a whole table of them
// resembles: none known
// file: mm/memory.c

@@
@@
zap_nonpresent_ptes(...)
{
<...
-if (!zap_drop_markers(details))
-	return 1;
+if (!zap_drop_markers(details)) {
+	if (rmap_bug_is(841))
+		*any_skipped = false;
+	return 1;
+}
...>
}
