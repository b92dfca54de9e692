// SPDX-License-Identifier: GPL-2.0-or-later
// number: 5
// kind: bug
// title: a VMA that goes is still counted as a user of its anon_vma
// function: unlink_anon_vmas
// breaks: an anon_vma without users is free for reuse
// resembles: b800c91a0517 (2015): the use counter of the wrong anon_vma
// file: mm/rmap.c

@@
@@
unlink_anon_vmas(...)
{
<...
-vma->anon_vma->num_active_vmas--;
+if (!rmap_bug_is(5))
+	vma->anon_vma->num_active_vmas--;
...>
}
