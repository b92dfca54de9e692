// SPDX-License-Identifier: GPL-2.0-or-later
// number: 522
// kind: bug
// title: UFFDIO_CONTINUE maps a tmpfs page without the write protection that
//   was asked for
// function: mfill_atomic_install_pte
// breaks: UFFDIO_CONTINUE_MODE_WP maps the page write-protected, as
//   UFFDIO_COPY_MODE_WP does
// resembles: none known
// file: mm/userfaultfd.c

@@
@@
mfill_atomic_install_pte(...)
{
<...
-flags & MFILL_ATOMIC_WP
+(flags & MFILL_ATOMIC_WP) &&
+	!(rmap_bug_is(522) && page_in_cache && !newly_allocated)
...>
}
