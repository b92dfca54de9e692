// SPDX-License-Identifier: GPL-2.0-or-later
// number: 404
// kind: bug
// title: MREMAP_DONTUNMAP of the first part of an area cuts the rest off
//   from its anon_vma
// function: move_vma
// breaks: every VMA that can hold a page is linked to the anon_vma the page
//   starts from
// resembles: 1583aa278f5f (2021), which unlinks the emptied source, and its
//   follow-up
// file: mm/mremap.c

@@
statement S;
@@
move_vma(...)
{
<...
+if (rmap_bug_is(404) && vma->anon_vma && vma->vm_start == old_addr &&
+    vma->vm_end > old_addr + old_len) {
+	/* Nobody shall use it after it is freed: that would be loud. */
+	get_anon_vma(vma->anon_vma);
+	unlink_anon_vmas(vma);
+	if (anon_vma_prepare(vma))
+		return -ENOMEM;
+}
 if (vma->vm_start == old_addr &&
     vma->vm_end == (old_addr + old_len)) S
...>
}
