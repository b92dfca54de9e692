// SPDX-License-Identifier: GPL-2.0-or-later
// number: 613
// kind: bug
// title: the walk of an anonymous page ends at the first VMA that it is
//   not to look at, where it should pass over that one only
// function: rmap_walk_anon
// breaks: reclaim sees that a page was touched through one mapper
//   although it does not ask another one (MADV_RANDOM, another group of
//   processes)
// resembles: none known
// file: mm/rmap.c

@@
@@
rmap_walk_anon(...)
{
<...
+if (rmap_bug_is(613) && rwc->invalid_vma && rwc->invalid_vma(vma, rwc->arg))
+	break;
 if (rwc->invalid_vma && rwc->invalid_vma(vma, rwc->arg))
 	continue;
...>
}
