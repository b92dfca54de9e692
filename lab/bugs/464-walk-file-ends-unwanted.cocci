// SPDX-License-Identifier: GPL-2.0-or-later
// number: 464
// kind: bug
// title: the walk of a file page ends at the first mapping that it is not to
//   look at, where it should pass over that one only
// function: rmap_walk_file
// breaks: a page that one process maps for sequential reading and another
//   uses counts as used; writeback write-protects a page in the shared
//   mappings also when there are private ones
// resembles: none known
// file: mm/rmap.c

@@
@@
rmap_walk_file(...)
{
<...
 if (rwc->invalid_vma && rwc->invalid_vma(vma, rwc->arg))
+{
+	if (rmap_bug_is(464))
+		goto done;
 	continue;
+}
...>
}
