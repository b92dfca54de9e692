// SPDX-License-Identifier: GPL-2.0-or-later
// number: 697
// kind: bug
// title: MADV_DONTNEED takes the pages of a locked area
// function: madvise_dontneed_free_valid_vma
// breaks: the pages of a locked area are not given up
// resembles: none known
// file: mm/madvise.c

@@
identifier forbidden, behavior;
@@
madvise_dontneed_free_valid_vma(...)
{
<...
-if (behavior != MADV_DONTNEED_LOCKED)
+if (behavior != MADV_DONTNEED_LOCKED && !(rmap_bug_is(697) && behavior == MADV_DONTNEED))
	forbidden |= VM_LOCKED;
...>
}
