// SPDX-License-Identifier: GPL-2.0-or-later
// number: 262
// kind: bug
// title: merging loses the soft-dirty bit, as it did before replace_page() kept it
// function: replace_page
// breaks: soft-dirty bits stay until they are cleared
// resembles: none known
// file: mm/ksm.c

@@
@@
replace_page(...)
{
<...
-if (pte_soft_dirty(orig_pte))
+if (pte_soft_dirty(orig_pte) && !rmap_bug_is(262))
 	newpte = pte_mksoft_dirty(newpte);
...>
}
