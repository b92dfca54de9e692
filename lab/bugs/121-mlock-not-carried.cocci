// SPDX-License-Identifier: GPL-2.0-or-later
// number: 121
// kind: bug
// title: a page that is mapped back into a locked area is not mlocked
// function: __folio_add_anon_rmap
// breaks: migration keeps a page mlocked
// resembles: a fix of 2023/24: migration keeps the mlocked state
// file: mm/rmap.c

@@
@@
__folio_add_anon_rmap(...)
{
<...
-mlock_vma_folio(folio, vma);
+if (!rmap_bug_is(121))
+	mlock_vma_folio(folio, vma);
...>
}
