// SPDX-License-Identifier: GPL-2.0-or-later
// number: 583
// kind: bug
// title: the pages of a large folio that a fork shares together stay writable
//   in the parent when the first of them is read-only
// function: copy_present_ptes
// breaks: after a fork neither process sees what the other writes to private
//   pages
// resembles: 29f40594a281 (CVE-2026-31398), the same slip in fork
// file: mm/memory.c

@@
@@
copy_present_ptes(...)
{
<...
-if (any_writable)
+if (any_writable && !rmap_bug_is(583))
	pte = pte_mkwrite(pte, src_vma);
...>
}
