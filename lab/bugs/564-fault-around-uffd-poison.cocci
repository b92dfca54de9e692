// SPDX-License-Identifier: GPL-2.0-or-later
// number: 564
// kind: bug
// title: a fault that maps the neighbours as well maps pages that
//   UFFDIO_POISON has marked as poisoned
// function: filemap_map_order0_folio
// breaks: an access to a page that UFFDIO_POISON has marked fails (SIGBUS),
//   also after a fault next to it
// resembles: none known
// file: mm/filemap.c

@@
@@
filemap_map_order0_folio(...)
{
<...
-if (!pte_none(ptep_get(vmf->pte)))
+if (!pte_none(ptep_get(vmf->pte)) &&
+    !(rmap_bug_is(564) && is_pte_marker(ptep_get(vmf->pte))))
 	return ret;
...>
}
