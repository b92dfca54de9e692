// SPDX-License-Identifier: GPL-2.0-or-later
// number: 340
// kind: bug
// title: of the pages of a large file folio that are unmapped together only
//   the first stays write-protected by userfaultfd
// function: zap_install_uffd_wp_if_needed
// breaks: a page stays write-protected by userfaultfd: after MADV_DONTNEED of
//   a protected range of a tmpfs file with large folios no event comes for
//   writes to all pages but the first
// resembles: none known
// file: mm/memory.c

@@
@@
zap_install_uffd_wp_if_needed(...)
{
<...
-if (--nr == 0)
+if (--nr == 0 || rmap_bug_is(340))
 	break;
...>
}
