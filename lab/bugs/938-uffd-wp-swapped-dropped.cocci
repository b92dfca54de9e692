// SPDX-License-Identifier: GPL-2.0-or-later
// number: 938
// kind: bug
// title: a copy of an object's page that is in swap has no mark any more when
//   it is dropped
// function: pte_install_uffd_wp_if_needed
// breaks: a page stays write-protected by userfaultfd for the mapper that
//   asked for it
// resembles: none known
// file: include/linux/mm_inline.h

@@
@@
pte_install_uffd_wp_if_needed(...)
{
<...
-if (unlikely(pte_swp_uffd_wp_any(pteval)))
+if (unlikely(pte_swp_uffd_wp_any(pteval)) && !rmap_bug_is(938))
	arm_uffd_pte = true;
...>
}
