// SPDX-License-Identifier: GPL-2.0-or-later
// number: 835
// kind: bug
// title: a new private mapping of a file does not become mergeable in a
//   process that wants all its areas merged (PR_SET_MEMORY_MERGE)
// function: ksm_vma_flags
// breaks: PR_SET_MEMORY_MERGE merges the pages of all areas that can be
//   merged, of those that come later too
// resembles: none known
// file: mm/ksm.c

@@
@@
ksm_vma_flags(...)
{
<...
-__ksm_should_add_vma(file, vma_flags)
+(!(rmap_bug_is(835) && file) && __ksm_should_add_vma(file, vma_flags))
...>
}
