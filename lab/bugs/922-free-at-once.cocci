// SPDX-License-Identifier: GPL-2.0-or-later
// number: 922
// kind: variation
// title: MADV_FREE frees at once
// function: madvise_dontneed_free
// breaks: nothing: as without swap, before 4.12 and as its manual page allows
// resembles: none
// file: mm/madvise.c

@@
statement S1, S2;
@@
madvise_dontneed_free(...)
{
<...
+if (rmap_bug_is(922) && behavior == MADV_FREE && vma_is_anonymous(vma))
+	return madvise_dontneed_single_vma(vma, start, end);
 if (behavior == MADV_DONTNEED || behavior == MADV_DONTNEED_LOCKED)
 S1 else S2
...>
}
