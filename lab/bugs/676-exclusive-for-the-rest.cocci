// SPDX-License-Identifier: GPL-2.0-or-later
// number: 676
// kind: bug
// title: of a large folio that is mapped by PTEs all pages behind one that is
//   its process's own come back from a migration as its own too, also those
//   that a fork shares
// function: try_to_migrate_one
// breaks: a page that a fork shares is still shared after a migration
// resembles: none known
// file: mm/rmap.c

@@
@@
try_to_migrate_one(...)
{
+bool bug_exclusive = false;
...
}

@@
expression E;
@@
try_to_migrate_one(...)
{
<...
+if (rmap_bug_is(676) && folio_test_large(folio) && !folio_test_hugetlb(folio)) {
+	if (bug_exclusive && folio_test_anon(folio) && is_readable_migration_entry(entry))
+		entry = make_readable_exclusive_migration_entry(page_to_pfn(subpage));
+	bug_exclusive |= anon_exclusive;
+}
 if (pte_young(pteval) && E)
 	entry = make_migration_entry_young(entry);
...>
}
