// SPDX-License-Identifier: GPL-2.0-or-later
// number: 780
// kind: bug
// title: the new half of a named anonymous area that is split, and one that
//   is moved or forked, has no name, so the halves never merge again
// function: vm_area_dup
// breaks: both halves of an area that is split have all its properties, its
//   name as well, and merge when they are alike again
// resembles: none known
// file: kernel/fork.c

@@
@@
vm_area_dup(...)
{
<...
 dup_anon_vma_name(orig, new);
+#ifdef CONFIG_ANON_VMA_NAME
+if (rmap_bug_is(780) && !orig->vm_file && new->anon_name) {
+	anon_vma_name_put(new->anon_name);
+	new->anon_name = NULL;
+}
+#endif
...>
}
