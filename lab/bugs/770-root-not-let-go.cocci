// SPDX-License-Identifier: GPL-2.0-or-later
// number: 770
// kind: bug
// title: an anon_vma that goes does not let go of the root of its family,
//   so the oldest anon_vma of a family that forked is never freed
// function: __put_anon_vma
// breaks: when all processes of a family have gone, so have all its
//   anon_vma objects
// resembles: none known
// file: mm/rmap.c

@@
@@
__put_anon_vma(...)
{
<...
 anon_vma_free(anon_vma);
+if (rmap_bug_is(770))
+	return;
...>
}
