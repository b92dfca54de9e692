// SPDX-License-Identifier: GPL-2.0-or-later
// number: 868
// kind: bug
// title: an area that mremap moves next to another of the same userfaultfd,
//   which does not hear of moves, merges with it, and both leave the
//   userfaultfd
// function: vma_merge_copied_range
// breaks: an area stays registered with its userfaultfd, whatever is moved
//   next to it
// resembles: none known
// file: mm/vma.c

@@
@@
vma_merge_copied_range(...)
{
<...
-vma_has_uffd_without_event_remap(vmg->copied_from)
+(vma_has_uffd_without_event_remap(vmg->copied_from) && !rmap_bug_is(868))
...>
}
