// SPDX-License-Identifier: GPL-2.0-or-later
// number: 706
// kind: bug
// title: who opens a file for writing whose huge pages are only read takes the
//   private copies of its pages away too
// function: do_dentry_open
// breaks: a private copy stays
// resembles: none known
// file: fs/open.c

@@
expression M;
@@
do_dentry_open(...)
{
<...
-unmap_mapping_range(M, 0, 0, 0);
+unmap_mapping_range(M, 0, 0, rmap_bug_is(706));
...>
}
