// SPDX-License-Identifier: GPL-2.0-or-later
// number: 981
// kind: bug
// title: userfaultfd's write protection of a huge page of a file stays in the
//   huge entry, which the first write drops, and the protection with it
// function: pgtable_split_needed
// breaks: a write to a page that is write-protected by userfaultfd gives an
//   event, whatever entry maps it
// resembles: none known
// file: mm/mprotect.c

@@
@@
pgtable_split_needed(...)
{
<...
-!vma_is_anonymous(vma)
+!vma_is_anonymous(vma) && !rmap_bug_is(981)
...>
}
