// SPDX-License-Identifier: GPL-2.0-or-later
// number: 518
// kind: bug
// title: a locked area that grows while it moves is not filled with pages
// function: mremap
// breaks: all pages of a locked area are present and mlocked, also those that
//   mremap has added
// resembles: none known
// file: mm/mremap.c

@@
@@
mremap(...)
{
<...
-mm_populate(new_addr + old_len, new_len - old_len);
+if (!rmap_bug_is(518) || new_addr == addr)
+	mm_populate(new_addr + old_len, new_len - old_len);
...>
}
