// SPDX-License-Identifier: GPL-2.0-or-later
// number: 925
// kind: variation
// title: UFFDIO_MOVE moves a few pages at a time
// function: move_pages
// breaks: nothing: it may move less than asked for, with EAGAIN, and says how
//   much
// resembles: none
// file: mm/userfaultfd.c

@@
@@
move_pages(...)
{
<...
 moved += step_size;
+if (rmap_bug_is(925) && moved >= 8 * PAGE_SIZE)
+	break;
...>
}
