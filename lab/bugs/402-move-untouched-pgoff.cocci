// SPDX-License-Identifier: GPL-2.0-or-later
// number: 402
// kind: bug
// title: an anonymous area that is moved before it was touched keeps its
//   page offset
// function: copy_vma
// breaks: an untouched anonymous VMA has the page offset of its address, so
//   that it merges with a neighbour
// resembles: a page offset left on the emptied source of MREMAP_DONTUNMAP
//   (2026), in 6.12.117
// file: mm/vma.c

@@
@@
copy_vma(...)
{
<...
-if (unlikely(vma_is_anonymous(vma) && !vma->anon_vma)) {
+if (unlikely(vma_is_anonymous(vma) && !vma->anon_vma &&
+	     !rmap_bug_is(402))) {
 	...
 }
...>
}
