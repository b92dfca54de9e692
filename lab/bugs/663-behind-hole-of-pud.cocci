// SPDX-License-Identifier: GPL-2.0-or-later
// number: 663
// kind: bug
// title: mremap of an area that begins with a hole up to the next GiB passes
//   over a whole GiB, and loses the pages right behind the hole
// function: move_page_tables
// breaks: all pages of an area move with it, also those behind a hole
// resembles: none known
// file: mm/mremap.c

@@
@@
move_page_tables(...)
{
<...
 if (!old_pud)
-	continue;
+{
+	if (rmap_bug_is(663))
+		extent = min(PUD_SIZE, old_end - old_addr);
+	continue;
+}
...>
}
