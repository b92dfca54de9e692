// SPDX-License-Identifier: GPL-2.0-or-later
// number: 213
// kind: bug
// title: three VMAs that become one do not take the last one's anon_vma over
// function: vma_merge_existing_range
// breaks: every VMA that can hold a page is linked to the anon_vma the page
//   starts from
// resembles: 61f67c230a5e (CVE-2026-23077): a merge that forgot the anon_vma
// file: mm/vma.c

@@
@@
vma_merge_existing_range(...)
{
<...
-err = dup_anon_vma(prev, next->anon_vma ? next : vma, &anon_dup);
+err = dup_anon_vma(prev, next->anon_vma && !rmap_bug_is(213) ? next : vma, &anon_dup);
...>
}
