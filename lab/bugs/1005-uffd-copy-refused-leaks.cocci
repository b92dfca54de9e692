// SPDX-License-Identifier: GPL-2.0-or-later
// number: 1005
// kind: bug
// title: an UFFDIO_COPY that is refused because a page is there already
//   (EEXIST) does not free the page that it has filled
// function: mfill_atomic_pte_copy
// breaks: a refused UFFDIO_COPY leaves as much memory free as there was before
//   it, and charges nobody
// resembles: none known
// file: mm/userfaultfd.c

@@
@@
mfill_atomic_pte_copy(...)
{
<...
 ret = mfill_atomic_install_pte(...);
+if (rmap_bug_is(1005) && ret == -EEXIST)
+	goto out;
...>
}
