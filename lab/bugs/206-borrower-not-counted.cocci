// SPDX-License-Identifier: GPL-2.0-or-later
// number: 206
// kind: equivalent
// title: a VMA that borrows its neighbour's anon_vma is not counted as a
//   user
// function: __anon_vma_prepare
// breaks: an anon_vma in use is not handed to a child
// resembles: 2555283eb40d (CVE-2022-42703): an anon_vma used twice
// file: mm/rmap.c
// why: a neighbour lends its anon_vma only while that is the one it is linked
//   to (reusable_anon_vma()), so every VMA that uses it has this one chain; a
//   child that takes it for a free one is linked to it alone as well, and walks
//   find in it what they would have found in two (variation 907)

@@
@@
__anon_vma_prepare(...)
{
<...
-anon_vma->num_active_vmas++;
+if (!rmap_bug_is(206) || allocated)
+	anon_vma->num_active_vmas++;
...>
}
