// SPDX-License-Identifier: GPL-2.0-or-later
// number: 863
// kind: bug
// title: a fault in a file mapping that is registered for userfaultfd's
//   protection from any access maps the neighbours too, and they count as
//   accessed
// function: uffd_disable_fault_around
// breaks: PAGEMAP_SCAN tells as accessed what was accessed, not what is next
//   to it
// resembles: none known
// file: include/linux/userfaultfd_k.h

@@
@@
uffd_disable_fault_around(...)
{
<...
+if (rmap_bug_is(863))
+	return vma_test_any_mask(vma,
+		mk_vma_flags_from_masks(VMA_UFFD_WP, VMA_UFFD_MINOR));
 return vma_test_any_mask(...);
...>
}
