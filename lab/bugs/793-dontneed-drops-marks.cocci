// SPDX-License-Identifier: GPL-2.0-or-later
// number: 793
// kind: bug
// title: MADV_DONTNEED drops the marks that userfaultfd's write protection
//   has left in a file mapping where no page is mapped
// function: zap_pte_range
// breaks: an address of a file mapping stays write-protected by userfaultfd
//   when its page is unmapped, however often
// resembles: none known
// file: mm/memory.c

@@
@@
zap_pte_range(...)
{
<...
 if (!vma_is_anonymous(vma) && !zap_drop_file_uffd_wp(details))
+{
+	if (rmap_bug_is(793))
+		pte_clear(mm, addr, pte);
 	continue;
+}
...>
}
