// SPDX-License-Identifier: GPL-2.0-or-later
// number: 587
// kind: bug
// title: a huge page of a file of which a part is poisoned is mapped by a huge
//   entry, so that the poison can be read
// function: do_set_pmd
// breaks: a touch of a poisoned page of a file gets SIGBUS, also in a mapping
//   that is made later
// resembles: eac96c3efdb5 reverted
// file: mm/memory.c

@@
@@
do_set_pmd(...)
{
<...
-if (unlikely(folio_test_has_hwpoisoned(folio)))
+if (unlikely(folio_test_has_hwpoisoned(folio) && !rmap_bug_is(587)))
	return ret;
...>
}
