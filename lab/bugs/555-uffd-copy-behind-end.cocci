// SPDX-License-Identifier: GPL-2.0-or-later
// number: 555
// kind: bug
// title: userfaultfd fills in the page right behind the end of a file in a
//   private mapping
// function: mfill_file_over_size
// breaks: UFFDIO_COPY and UFFDIO_ZEROPAGE put no pages behind the end of a
//   file (EFAULT), where no truncation would find them
// resembles: none known
// file: mm/userfaultfd.c

@@
@@
mfill_file_over_size(...)
{
<...
-return offset >= max_off;
+return offset >= max_off + (rmap_bug_is(555) ? 1 : 0);
...>
}
