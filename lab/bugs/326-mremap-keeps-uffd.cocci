// SPDX-License-Identifier: GPL-2.0-or-later
// number: 326
// kind: bug
// title: a moved area stays registered with a userfaultfd that is not told of moves
// function: mremap_userfaultfd_prep
// breaks: a moved area is registered where its userfaultfd is told
// resembles: none known
// file: fs/userfaultfd.c

@@
@@
mremap_userfaultfd_prep(...)
{
<...
-userfaultfd_reset_ctx(vma);
+if (!rmap_bug_is(326))
+	userfaultfd_reset_ctx(vma);
...>
}
