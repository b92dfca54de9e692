// SPDX-License-Identifier: GPL-2.0-or-later
// number: 715
// kind: bug
// title: a private mapping of a file that MREMAP_DONTUNMAP has emptied gets
//   the page offset of its address, as only anonymous areas shall
// function: move_vma
// breaks: the source of an MREMAP_DONTUNMAP maps the pages of its file
//   again when it is touched
// resembles: none known
// file: mm/mremap.c

@@
statement S;
@@
move_vma(...)
{
<...
 unlink_anon_vmas(vma);
+if (rmap_bug_is(715) && vma->vm_file && !(vma->vm_flags & VM_MAYSHARE))
+	vma->vm_pgoff = vma->vm_start >> PAGE_SHIFT;
 if (vma_is_anonymous(vma) && !vma->vm_file) S
...>
}
