// SPDX-License-Identifier: GPL-2.0-or-later
// number: 976
// kind: bug
// title: KSM compares all of two pages but the last word, so it merges pages
//   that differ in it
// function: memcmp_pages
// breaks: KSM merges only pages of the same content, to the last byte
// resembles: none known
// file: mm/util.c

@@
@@
memcmp_pages(...)
{
<...
-memcmp(addr1, addr2, PAGE_SIZE)
+memcmp(addr1, addr2, PAGE_SIZE - (rmap_bug_is(976) ? sizeof(long) : 0))
...>
}
