// SPDX-License-Identifier: GPL-2.0-or-later
// number: 569
// kind: equivalent
// title: an untouched area that takes the first part of the touched area
//   behind it over does not take its anon_vma over
// function: vma_merge_existing_range
// breaks: every mapper of an anonymous page is found by its anon_vma; a
//   child gets the pages of its parent
// resembles: none known
// why: an area without an anon_vma has an empty chain of them, and one whose
//   chain is not of exactly one merges only with its equals
//   (is_mergeable_anon_vma()). So the area in front, when it merges with one
//   that has pages, has the same anon_vma, and nothing is to be taken over.
// file: mm/vma.c

@@
@@
vma_merge_existing_range(...)
{
<...
-err = dup_anon_vma(prev, vma, &anon_dup);
+err = rmap_bug_is(569) && !merge_will_delete_vma ? 0 :
+	dup_anon_vma(prev, vma, &anon_dup);
...>
}
