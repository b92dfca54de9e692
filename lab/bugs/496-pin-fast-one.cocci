// SPDX-License-Identifier: GPL-2.0-or-later
// number: 496
// kind: bug
// title: a pin of a single page that needs no fault does not mark its process
//   as one that pins, so a fork shares the page
// function: gup_fast_fallback
// breaks: what a process pinned stays its own through fork: a write after the
//   fork is seen through the pin
// resembles: none known
// file: mm/gup.c

@@
@@
gup_fast_fallback(...)
{
<...
-if (gup_flags & FOLL_PIN)
+if ((gup_flags & FOLL_PIN) && !(rmap_bug_is(496) && nr_pages == 1))
 	mm_set_has_pinned_flag(&current->mm->flags);
...>
}
