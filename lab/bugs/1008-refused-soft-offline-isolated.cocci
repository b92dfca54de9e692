// SPDX-License-Identifier: GPL-2.0-or-later
// number: 1008
// kind: bug
// title: a small page whose soft offline is refused because it cannot be
//   migrated stays isolated from the LRU, so it can neither be moved nor
//   reclaimed, nor is it freed
// function: soft_offline_in_use_page
// breaks: a page whose soft offline is refused goes on as before
// resembles: none known
// file: mm/memory-failure.c

@@
@@
soft_offline_in_use_page(...)
{
<...
-!list_empty(&pagelist)
+(!list_empty(&pagelist) && !(rmap_bug_is(1008) && !huge))
...>
}
