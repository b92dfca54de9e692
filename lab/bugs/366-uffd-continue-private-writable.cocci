// SPDX-License-Identifier: GPL-2.0-or-later
// number: 366
// kind: bug
// title: UFFDIO_CONTINUE maps a tmpfs page writable in a private mapping
// function: mfill_atomic_install_pte
// breaks: a private mapping does not change its file
// resembles: none known
// file: mm/userfaultfd.c

@@
@@
mfill_atomic_install_pte(...)
{
<...
-if (page_in_cache && !vm_shared)
+if (page_in_cache && !vm_shared && !rmap_bug_is(366))
 	writable = false;
...>
}
