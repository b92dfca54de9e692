// SPDX-License-Identifier: GPL-2.0-or-later
// number: 552
// kind: bug
// title: a hole punched into a file drops the poison of the private copies of
//   its pages, so that the hole is read there
// function: zap_pte_range
// breaks: a hole in a file leaves the private copies alone, the poisoned ones
//   too
// resembles: none known
// file: mm/memory.c

@@
statement S;
@@
zap_pte_range(...)
{
<...
 if (is_hwpoison_entry(entry) || is_poisoned_swp_entry(entry)) {
-	if (!should_zap_cows(details))
+	if (!should_zap_cows(details) &&
+	    !(rmap_bug_is(552) && is_hwpoison_entry(entry)))
 		continue;
 } else S
...>
}
