// SPDX-License-Identifier: GPL-2.0-or-later
// number: 986
// kind: bug
// title: untouched memory that is moved keeps the page offset of its old place
// function: copy_vma
// breaks: untouched memory merges where it has moved to as if it had been
//   mapped there
// resembles: none known
// file: mm/vma.c

@@
@@
copy_vma(...)
{
<...
-pgoff = addr >> PAGE_SHIFT;
+if (!rmap_bug_is(986))
+	pgoff = addr >> PAGE_SHIFT;
 faulted_in_anon_vma = false;
...>
}
